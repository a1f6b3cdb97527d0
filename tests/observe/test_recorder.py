"""A recording is the run, replayed with no engine; and a reader trusts nothing."""

import json

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.observe import (
    Recorder,
    RecordingError,
    event_from_json,
    event_to_json,
    fold,
    fold_all,
    guarded,
    read_recording,
    snapshot,
    state_to_json,
    watch,
)
from radixlab.observe.codec import CompressedIds
from radixlab.observe.recorder import VERSION
from tests.cache.helpers import ids
from tests.observe.lives import live, small_cache
from tests.observe.simple_tree import SimpleTree


def record(path, seed: int = 0, before: int = 0, tokens: bool = True):
    """Record a random life; return its manager."""
    manager = small_cache(explain=True)
    list(live(manager, seed, before))
    with Recorder(manager, path, tokens=tokens):
        list(live(manager, seed + 1, 50))
    return manager


# ---- the round trip


@pytest.mark.parametrize("before", [0, 30])
@pytest.mark.parametrize("seed", range(5))
def test_a_recording_folds_to_the_engines_state(tmp_path, seed, before):
    "T5"
    manager = record(tmp_path / "run.jsonl", seed, before)
    state, events = read_recording(tmp_path / "run.jsonl")
    assert fold_all(state, events) == snapshot(manager)


def test_block_ids_are_compressed_in_the_header(tmp_path):
    "A node of 200 blocks in a row names them in a few bytes"
    manager = KVCacheManager(CacheConfig(256, 1))
    manager.commit(manager.allocate(list(range(200))), 200)
    Recorder(manager, tmp_path / "run.jsonl", tokens=False).close()
    state = json.loads((tmp_path / "run.jsonl").read_text())["state"]
    for part, name in ((state["nodes"][0], "block_ids"), (state["sequences"][0], "block_table")):
        coded = CompressedIds.from_text(part[name])
        assert (coded.codec, coded.decode().tolist()) == ("interval", list(range(200)))
        assert len(part[name]) <= 12


def test_a_sound_header_is_read(tmp_path):
    "So what is wrong with the others below is what their names say"
    header = {"type": "Recording", "version": VERSION, "state": STATE | {"nodes": [node()]}}
    (tmp_path / "run.jsonl").write_text(json.dumps(header) + "\n")
    state, _ = read_recording(tmp_path / "run.jsonl")
    assert state.nodes[1].block_ids == [3, 900, 1, 7]


def test_every_event_comes_back_as_it_was(tmp_path):
    "T5"
    heard = []
    manager = small_cache(heard.append)
    with Recorder(manager, tmp_path / "run.jsonl") as recorder:
        list(live(manager, 2))
    _, events = read_recording(tmp_path / "run.jsonl")
    assert list(events) == heard
    assert recorder.num_events == len(heard)


def test_the_recorder_joins_the_listener_that_is_there(tmp_path):
    heard = []
    manager = small_cache(heard.append)
    with Recorder(manager, tmp_path / "run.jsonl"):
        manager.allocate([1, 2])
    assert len(heard) > 0


def test_after_closing_nothing_is_written(tmp_path):
    manager = small_cache()
    recorder = Recorder(manager, tmp_path / "run.jsonl")
    manager.allocate([1])
    recorder.close()
    recorder.close()
    size = (tmp_path / "run.jsonl").stat().st_size
    manager.allocate([2])
    assert (tmp_path / "run.jsonl").stat().st_size == size


def test_a_watched_tree_is_recorded_like_a_manager(tmp_path):
    "T5"
    tree = watch(SimpleTree(2), block_size=2, num_blocks=8)
    tree.insert([1, 2], ids(0))
    with Recorder(tree, tmp_path / "run.jsonl"):
        tree.lock(tree.insert([1, 2, 3, 4], ids(0, 1)).node)
    state, events = read_recording(tmp_path / "run.jsonl")
    assert fold_all(state, events) == tree.snapshot()


# ---- without tokens


@pytest.mark.parametrize("before", [0, 30])
def test_without_tokens_the_shapes_are_the_same(tmp_path, before):
    manager = record(tmp_path / "run.jsonl", before=before, tokens=False)
    replayed, expected = (state_to_json(s) for s in (fold_all(*read(tmp_path)), snapshot(manager)))
    for part in (*expected["nodes"], *expected["sequences"]):
        part["tokens"] = [0] * len(part["tokens"])
    key = lambda part: part["id"]  # noqa: E731  # two lists, one order
    for parts in ("nodes", "sequences"):
        assert sorted(replayed.pop(parts), key=key) == sorted(expected.pop(parts), key=key)
    assert replayed == expected


def read(folder):
    return read_recording(folder / "run.jsonl")


def test_without_tokens_no_token_is_in_the_file(tmp_path):
    manager, secret = small_cache(), 123456789
    manager.commit(manager.allocate([secret] * 4), 4)
    with Recorder(manager, tmp_path / "run.jsonl", tokens=False):
        sequence = manager.allocate([secret] * 9)
        manager.append(sequence, [secret] * 3)
        manager.commit(sequence, 12)
    assert str(secret) not in (tmp_path / "run.jsonl").read_text()


def test_without_tokens_no_token_of_a_watched_tree_is_in_the_file(tmp_path):
    "a buggy tree is resynced whole, and its tokens with it"
    secret = 123456789
    learners = SimpleTree(2)
    tree = watch(learners, block_size=2, num_blocks=8)
    tree.insert([secret] * 4, ids(0, 1))
    with Recorder(tree, tmp_path / "run.jsonl", tokens=False):
        tree.insert([secret, 5], ids(3))
        next(learners._blocks()).block_id = 7  # no ordinary event can tell this
        tree.peek([1])
    assert str(secret) not in (tmp_path / "run.jsonl").read_text()


# ---- what cannot be read


def broken(tmp_path, edit):
    """Record, edit the lines of the file, read it all."""
    record(tmp_path / "run.jsonl")
    lines = (tmp_path / "run.jsonl").read_bytes().splitlines()
    edit(lines)
    (tmp_path / "run.jsonl").write_bytes(b"\n".join(lines))
    _, events = read_recording(tmp_path / "run.jsonl")
    list(events)


def replaced(line: bytes, **fields) -> bytes:
    record = json.loads(line) | fields
    return json.dumps({k: v for k, v in record.items() if v is not ...}).encode()


EVENT_EDITS = {
    "cut short": lambda line: line[:-5],
    "not JSON": lambda line: b"hello",
    "empty": lambda line: b"",
    "not UTF-8": lambda line: b'{"type": "\xff\xfe"}',
    "too deep": lambda line: b"[" * 200_000,
    "a list": lambda line: b"[1, 2]",
    "a number": lambda line: b"7",
    "null": lambda line: b"null",
    "no type": lambda line: replaced(line, type=...),
    "an unknown type": lambda line: replaced(line, type="Surprise"),
    "a type that is no name": lambda line: replaced(line, type=["SequenceStarted"]),
    "a missing field": lambda line: replaced(line, seq=...),
    "an extra field": lambda line: replaced(line, surprise=1),
    "a field that is no name": lambda line: replaced(line, **{"": 1}),
    "a second header": lambda line: b'{"type": "Recording", "version": 2, "state": {}}',
}


@pytest.mark.parametrize("edit", EVENT_EDITS.values(), ids=EVENT_EDITS)
def test_a_bad_event_is_one_error_with_its_line(tmp_path, edit):
    def at_line_three(lines):
        lines[2] = edit(lines[2])

    with pytest.raises(RecordingError, match=r"run\.jsonl:3\b"):
        broken(tmp_path, at_line_three)


FOUR_IDS = CompressedIds.encode(ids(3, 900, 1, 7)).to_text()


def node(**fields):
    """Return a node of a recorded state, sound but for the fields given."""
    sound = {"id": 1, "parent_id": None, "namespace": None, "tokens": [], "block_ids": FOUR_IDS}
    return sound | fields


STATE = {"num_blocks": 4, "block_size": 2, "nodes": [], "sequences": [], "transfers": []}
HEADERS = {
    "nothing": b"",
    "not JSON": b"hello",
    "not UTF-8": b"\xff\xfe\x00",
    "null": b"null",
    "a list": b"[]",
    "an event": b'{"type": "AllBlocksCleared", "seq": 0, "step": 0}',
    "another version": json.dumps({"type": "Recording", "version": 99, "state": STATE}).encode(),
    "no version": json.dumps({"type": "Recording", "state": STATE}).encode(),
    "no state": b'{"type": "Recording", "version": 2}',
}
STATES = {
    "null": None,
    "a list": [1],
    "a word": "state",
    "no nodes": {k: v for k, v in STATE.items() if k != "nodes"},
    "no size": {k: v for k, v in STATE.items() if k != "num_blocks"},
    "an extra field": STATE | {"surprise": 1},
    "nodes that are a number": STATE | {"nodes": 7},
    "a node that is a number": STATE | {"nodes": [7]},
    "a node that is a list": STATE | {"nodes": [[1, 2]]},
    "a node without fields": STATE | {"nodes": [{}]},
    "a node with a bad namespace": STATE | {"nodes": [{"namespace": 7}]},
    "a sequence that is null": STATE | {"sequences": [None]},
    "a transfer of one": STATE | {"transfers": [[1]]},
    "a host of words": STATE | {"num_host_blocks": "many"},
    "a transfer of two": STATE | {"transfers": [[1, 2]]},
    "a transfer that is a number": STATE | {"transfers": [7]},
    "a copy from outside the pool": STATE | {"transfers": [[4, 1, "copy"]]},
    "a load-back without a host": STATE | {"transfers": [[0, 1, "load_back"]]},
    "a write-back past the host": (
        STATE | {"num_host_blocks": 2, "transfers": [[1, 2, "write_back"]]}
    ),
    "a table that leaves the pool": (
        STATE
        | {"sequences": [{"id": 0, "namespace": None, "tokens": [1], "block_table": FOUR_IDS}]}
    ),
    "a node whose id is a list": STATE | {"nodes": [node(id=[])]},
    "a node of plain block ids": STATE | {"nodes": [node(block_ids=[0])]},
    "a node of block ids cut off": STATE | {"nodes": [node(block_ids=FOUR_IDS[:-4])]},
}
HEADERS |= {
    f"a state that is {name}": json.dumps(
        {"type": "Recording", "version": VERSION, "state": s}
    ).encode()
    for name, s in STATES.items()
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_bad_header_is_one_error_with_its_line(tmp_path, header):
    (tmp_path / "run.jsonl").write_bytes(header + b"\n")
    with pytest.raises(RecordingError, match=r"run\.jsonl:1\b"):
        read_recording(tmp_path / "run.jsonl")


def test_an_empty_file_is_no_recording(tmp_path):
    (tmp_path / "run.jsonl").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"run\.jsonl:1\b"):
        read_recording(tmp_path / "run.jsonl")


def test_what_comes_before_a_bad_line_can_be_read(tmp_path):
    record(tmp_path / "run.jsonl")
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write("hello\n")
    state, events = read_recording(tmp_path / "run.jsonl")
    num_read = 0
    with pytest.raises(RecordingError):
        for event in events:
            fold(state, event)
            num_read += 1
    assert num_read > 10


@pytest.mark.parametrize(
    ("record", "names"),
    [
        (None, "NoneType"),
        ([], "list"),
        ({}, "None"),
        ({"type": "Surprise"}, "Surprise"),
        ({"type": "AllBlocksCleared", "seq": 0, "step": 0, "more": 1}, "more"),
        ({"type": "AllBlocksCleared", "seq": 0}, "step"),
    ],
)
def test_an_event_that_does_not_fit_names_what_is_wrong(record, names):
    with pytest.raises(RecordingError, match=f"^here: .*{names}"):
        event_from_json(record, "here")


def test_events_survive_json():
    events = []
    for seed in range(5):
        list(live(small_cache(events.append, explain=True), seed))
    for event in events:
        assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


def test_a_state_as_json_lists_parents_first():
    "T5: so that a keyframe can be read in one pass, after splits too"
    manager = small_cache()
    for prompt in ([1, 1, 2, 2, 3, 3], [1, 1, 4, 4], [1, 1, 2, 2, 5, 5]):
        manager.commit(manager.allocate(prompt), len(prompt))
    seen = {None}
    for node in state_to_json(snapshot(manager))["nodes"]:
        assert node["parent_id"] in seen
        seen.add(node["id"])


# ---- listeners that users wrote


def test_a_listener_that_raises_is_called_no_more_and_harms_nobody():
    heard, errors = [], []

    def fails_at_three(event):
        heard.append(event)
        if len(heard) == 3:
            raise RuntimeError("no more")

    manager = small_cache(guarded(fails_at_three, errors.append))
    other = small_cache()
    for _ in zip(live(manager, 1), live(other, 1), strict=True):
        assert snapshot(manager) == snapshot(other)
    assert (len(heard), [str(error) for error in errors]) == (3, ["no more"])


def test_a_listener_that_does_not_raise_hears_everything():
    heard, errors, plain = [], [], []
    list(live(small_cache(guarded(heard.append, errors.append)), 1))
    list(live(small_cache(plain.append), 1))
    assert (heard, errors) == (plain, [])


def test_a_guard_does_not_swallow_an_interrupt():
    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_cache(guarded(interrupt, lambda error: None)).allocate([1])
