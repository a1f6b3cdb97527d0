"""Recordings that are not what they say: damaged, cut off, or made to do harm.

Whatever was done to a file, reading it ends soon and takes little memory. It yields the run that
was recorded, or a `RecordingError` that names the line, never something in between. Only what a
crash cuts off may be missing, and then a warning says so.
"""

import json
import random
import re
import tracemalloc
import warnings

import numpy as np
import pytest

from radixlab.cache import KVCacheManager
from radixlab.cache.restart import restart
from radixlab.config import CacheConfig
from radixlab.observe import (
    Recorder,
    RecordingError,
    RecordingWarning,
    fold_all,
    read_recording,
    snapshot,
)
from radixlab.observe.codec import CompressedIds
from radixlab.observe.recorder import VERSION
from tests.observe.lives import live, small_cache

KINDS = ("lost", "doubled", "swapped")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a way to make a recording once, and have its lines and what they fold to."""
    made = {}

    def make(seed: int, num_steps: int = 40):
        if (seed, num_steps) not in made:
            path = tmp_path_factory.mktemp("runs") / "run.jsonl"
            manager = small_cache(explain=True, pin_budget_blocks=4)
            list(live(manager, seed, 20))
            with Recorder(manager, path):
                list(live(manager, seed + 100, num_steps))
            made[seed, num_steps] = path.read_bytes().splitlines(keepends=True), snapshot(manager)
        return made[seed, num_steps]

    return make


def outcome(path, content: bytes, expected) -> str:
    """Read a file with this content: "refused", "same" or "warned" (cut off, and said to be)."""
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            state = fold_all(*read_recording(path))
        except RecordingError as error:
            message = str(error)
            assert message.startswith(f"{path}:"), message
            assert "\n" not in message and len(message) < len(str(path)) + 600, message
            return "refused"
    if state == expected:
        return "same"
    assert any(issubclass(w.category, RecordingWarning) for w in caught), "a wrong picture"
    return "warned"


def strictly(path, content: bytes, expected) -> str:
    """As `outcome`, but nothing may be missing, said or not."""
    how = outcome(path, content, expected)
    assert how != "warned"
    return how


def rearranged(lines: list[bytes], kind: str, at: int) -> list[bytes]:
    if kind == "lost":
        return lines[:at] + lines[at + 1 :]
    if kind == "doubled":
        return lines[: at + 1] + lines[at:]
    return [*lines[:at], *lines[at + 1 : at + 2], lines[at], *lines[at + 2 :]]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_is_lost_doubled_or_moved_is_found(tmp_path, run, kind, seed):
    "Each line in turn, the header and the last one too"
    lines, expected = run(seed)
    for at in range(len(lines) - (kind == "swapped")):
        content = b"".join(rearranged(lines, kind, at))
        assert strictly(tmp_path / "run.jsonl", content, expected) == "refused", at


def test_the_line_that_does_not_follow_is_named(tmp_path, run):
    lines, _ = run(0)
    for kind, at, named in [("lost", 5, 6), ("doubled", 5, 7), ("swapped", 5, 6)]:
        (tmp_path / "run.jsonl").write_bytes(b"".join(rearranged(lines, kind, at)))
        with pytest.raises(RecordingError, match=rf"run\.jsonl:{named}: event \d+, where \d+ shou"):
            fold_all(*read_recording(tmp_path / "run.jsonl"))


OTHERS = [
    *(None, True, "x", "", -1, 0, 1, 7, 10**9, 2**63, 10**400, 1.5, 1.0, float("nan")),
    *([], [[]], {}, [1, 2], [[0, 1]], [[0, 100_000_000]], [[-1, 3]], [[0, 0]], ["salt", "x"]),
]


def values(old: object) -> list[object]:
    near: list[object] = []
    if type(old) is int:
        near = [old + 1, old - 1]
    elif isinstance(old, str | list) and old:
        near = [old[:-1], old + old]
    return [value for value in OTHERS + near if value != old]


def parts(record: dict) -> list[dict]:
    """Return the record and, of a header, its state, a node and a sequence."""
    state = record.get("state")
    return [record, state, *state["nodes"][:1], *state["sequences"][:1]] if state else [record]


def mutations(line: bytes):
    """Yield the line with one field changed, left out or renamed, in every way of the table."""
    record = json.loads(line)
    for part in parts(record):
        whole = dict(part)
        for name, old in whole.items():
            rest = {k: v for k, v in whole.items() if k != name}
            changed = [whole | {name: value} for value in values(old)]
            for fields in (*changed, rest, rest | {f"{name}_": old}):
                part.clear()
                part.update(fields)
                yield json.dumps(record)
        part.clear()
        part.update(whole)


def change_fields(path, run, seed: int, sealed: bool, every: int) -> None:
    """Read one file per mutation of the first line of each kind, or of each n-th mutation."""
    lines, expected = run(seed, 10)
    first = {json.loads(line)["type"]: at for at, line in reversed(list(enumerate(lines)))}
    changes = [(at, changed) for at in first.values() for changed in mutations(lines[at])]
    for at, changed in changes[seed % every :: every]:
        if not sealed:
            changed = re.sub(r', "crc": [^,]*}$', "}", changed)
        content = b"".join([*lines[:at], changed.encode() + b"\n", *lines[at + 1 :]])
        try:
            strictly(path, content, expected)
        except AssertionError as error:
            assert not sealed and "a wrong picture" in str(error), changed


@pytest.mark.parametrize("sealed", [True, False])
def test_a_field_that_is_changed_is_found(tmp_path, run, sealed):
    "Without a checksum, what is possible is read; but nothing else may happen either"
    change_fields(tmp_path / "run.jsonl", run, 0, sealed, every=8)


@pytest.mark.soak
@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_each_field_that_is_changed_is_found(tmp_path, run, seed, sealed):
    change_fields(tmp_path / "run.jsonl", run, seed, sealed, every=1)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Change, insert or delete a few bytes, or overwrite a stretch."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(data))
        how = rng.randrange(5)
        if how == 0:
            data[at] = rng.randrange(256)
        elif how == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            data.insert(at, rng.choice(b'0123456789-[]{},:"\n \x00\xff'))
        elif how == 3:
            del data[at : at + rng.choice([1, 1, 2, 40])]
        else:
            data[at : at + 8] = rng.randbytes(8)
    return bytes(data)


def fuzz(path, run, num: int) -> None:
    for seed in range(num):
        rng = random.Random(seed)
        lines, expected = run(seed % 5, 12)
        outcome(path, damaged(b"".join(lines), rng), expected)


def test_random_damage_is_found(tmp_path, run):
    fuzz(tmp_path / "run.jsonl", run, 300)


@pytest.mark.soak
def test_random_damage_is_found_thousands_of_times(tmp_path, run):
    fuzz(tmp_path / "run.jsonl", run, 30_000)


# ---- crashes


@pytest.mark.parametrize("closed", [True, False])
def test_a_last_line_that_is_cut_off_costs_that_line_alone(tmp_path, run, closed):
    "Nothing is lost on a crash: what is there is read, and a warning names the line"
    lines, _ = run(1)
    if not closed:
        lines = [unclosed(lines[0]), *lines[1:]]
    for keep in (1, 9, len(lines[-1]) // 2, len(lines[-1]) - 2):
        (tmp_path / "run.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:keep])
        _, events = read_recording(tmp_path / "run.jsonl")
        with pytest.warns(RecordingWarning, match=rf"run\.jsonl:{len(lines)}: .* cut off"):
            assert len(list(events)) == len(lines) - 2


def unclosed(header: bytes) -> bytes:
    head, rest = header.split(b'"num_events":', 1)
    return head + b'"num_events":null,' + rest.split(b",", 1)[1]


def test_a_recording_that_nobody_closed_is_read_and_that_is_said(tmp_path):
    manager = small_cache()
    recorder = Recorder(manager, tmp_path / "run.jsonl")
    list(live(manager, 3))
    state, events = read_recording(tmp_path / "run.jsonl")  # every event is on disk by now
    with pytest.warns(RecordingWarning, match=rf"closed; it .* after {recorder.num_events} events"):
        assert fold_all(state, events) == snapshot(manager)
    recorder.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fold_all(*read_recording(tmp_path / "run.jsonl"))


def full_disk(manager, recorder, monkeypatch):
    def write(line):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder, "_write", write)


def an_interrupt(manager, recorder, monkeypatch):
    write = recorder._write
    calls = iter(range(10))

    def interrupted(line):
        write(line)
        if next(calls, 9) == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        manager.allocate([1, 2, 3])
    restart(manager)


def another_listener(manager, recorder, monkeypatch):
    manager.emit = lambda event: None


def no_listener(manager, recorder, monkeypatch):
    manager.emit = None


@pytest.mark.parametrize("lose", [full_disk, another_listener, no_listener])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_recording_that_missed_events_does_not_pass_for_a_whole_one(tmp_path, monkeypatch, lose):
    "Nor if it is closed"
    manager = small_cache()
    recorder = Recorder(manager, tmp_path / "run.jsonl")
    list(live(manager, 3, 20))
    before = recorder.num_events
    lose(manager, recorder, monkeypatch)
    list(live(manager, 4, 20))
    recorder.close()
    _, events = read_recording(tmp_path / "run.jsonl")
    with pytest.warns(RecordingWarning, match=rf"not closed; it .* after {before} events"):
        assert len(list(events)) == before


def test_a_recording_that_was_interrupted_is_read_and_that_is_said(tmp_path, monkeypatch):
    manager = small_cache()
    recorder = Recorder(manager, tmp_path / "run.jsonl")
    list(live(manager, 3, 20))
    an_interrupt(manager, recorder, monkeypatch)
    list(live(manager, 4, 20))
    recorder.close()
    state, events = read_recording(tmp_path / "run.jsonl")
    with pytest.warns(RecordingWarning, match="not closed"):
        assert fold_all(state, events) == snapshot(manager)


def test_restarts_make_room_for_what_comes_after_them(tmp_path):
    "A true recording is not refused for its size"
    manager = KVCacheManager(CacheConfig(num_blocks=4096, block_size=16))
    with Recorder(manager, tmp_path / "run.jsonl"):
        for _ in range(5):
            sequence = manager.allocate([1] * 20_000)
            for _ in range(64):
                manager.fork(sequence)
            restart(manager)
    assert fold_all(*read_recording(tmp_path / "run.jsonl")) == snapshot(manager)


@pytest.mark.parametrize("blank", [b"\n", b"\n\n", b"  \n", b" "])
def test_a_blank_last_line_is_nothing(tmp_path, run, blank):
    lines, expected = run(2)
    assert outcome(tmp_path / "run.jsonl", b"".join(lines) + blank, expected) == "same"


def test_recordings_of_the_version_before_are_read(tmp_path, run):
    lines, expected = run(2)
    records = [json.loads(line) for line in lines]
    for record in records:
        for name in ("crc", "num_events", "next_seq"):
            record.pop(name, None)
    records[0]["version"] = VERSION - 1
    content = "".join(json.dumps(record) + "\n" for record in records)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outcome(tmp_path / "run.jsonl", content.encode(), expected) == "same"


# ---- made to do harm

STATE = {"num_blocks": 10**8, "block_size": 2, "nodes": [], "sequences": [], "transfers": []}


def header(**fields) -> dict:
    return {"type": "Recording", "version": VERSION, "state": STATE | fields}


def event(name: str, **fields) -> dict:
    return {"type": name, "step": 0} | fields


def node(id: int, parent_id, **fields) -> dict:
    ids = CompressedIds.encode(np.arange(2, dtype=np.int32)).to_text()
    sound = {"id": id, "parent_id": parent_id, "namespace": None, "tokens": [1] * 4}
    return sound | {"block_ids": ids} | fields


def stored(id: int, parent_id, runs=((0, 1),), **fields) -> dict:
    where = {"namespace": None, "sequence_id": None, "start_token": 0, "tick": 0}
    more = where | {"block_runs": runs, "token_ids": [1, 2]} | fields
    return event("BlockStored", node_id=id, parent_id=parent_id, **more)


def row(id: int, parent_id, **_) -> tuple:
    return (id, parent_id, None, [1, 2], [0], 0, 0, 0)


def started(id: int, num_tokens: int = 4) -> dict:
    return event("SequenceStarted", sequence_id=id, namespace=None, token_ids=[1] * num_tokens)


def bomb(num_ids: int) -> str:
    """Return sixteen characters or so that stand for this many ids."""
    return CompressedIds("interval", num_ids, b"\x00" + varint(num_ids)).to_text()


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def table(id: int, text: str) -> dict:
    return {"id": id, "namespace": None, "tokens": [1], "block_table": text}


def locked(id: int) -> dict:
    return event("NodeLocked", node_id=id, sequence_id=None)


def resynced(*rows) -> dict:
    return event("TreeResynced", nodes=rows)


HARM = {
    "its own parent": [header(), stored(1, 1), locked(1)],
    "a cycle of two": [header(), stored(1, 2), stored(2, 1), locked(1)],
    "a cycle of three": [header(), stored(1, 3), stored(2, 1), stored(3, 2), locked(1)],
    "an unknown parent": [header(), stored(1, 77), locked(1)],
    "its own parent in the header": [header(nodes=[node(1, 1)])],
    "a cycle in the header": [header(nodes=[node(1, 2), node(2, 1)])],
    "a node twice in the header": [header(nodes=[node(1, None), node(1, None)])],
    "its own parent, resynced": [header(), resynced(row(1, 1)), locked(1)],
    "a cycle, resynced": [header(), resynced(row(1, 2), row(2, 1)), locked(1)],
    "a resync of scalars": [header(), resynced(1, 2)],
    "a resync of short rows": [header(), resynced((1, None))],
    "a split into itself": [header(), stored(1, None, [(0, 2)], token_ids=[1] * 4),
                            event("NodeSplit", node_id=1, upper_id=1, num_blocks=1)],
    "a long run": [header(), started(0),
                   event("BlocksAllocated", sequence_id=0, block_runs=[[0, 100_000_000]])],
    "a run of a small pool": [header(num_blocks=16), started(0),
                              event("BlocksAllocated", sequence_id=0, block_runs=[[0, 10**8]])],
    "many runs": [header(), started(0),
                  event("BlocksAllocated", sequence_id=0, block_runs=[[0, 10**7]] * 9)],
    "long runs, one by one": [header(), *(
        e for i in range(99) for e in (
            started(i), event("BlocksAllocated", sequence_id=i, block_runs=[[0, 10**6]])))],
    "a long run is stored": [header(), stored(1, None, [[0, 10**8]])],
    "a long run is stored from a short sequence": [
        header(), started(0), stored(1, None, [[0, 10**8]], sequence_id=0, token_ids=None)],
    "a long run is removed": [header(), stored(1, None),
                              event("BlockRemoved", node_id=1, block_runs=[[0, 10**8]],
                                    reason="x", tick=0)],
    "a long run is kept": [header(), started(0),
                           event("BlocksDeduplicated", sequence_id=0, start_block=0,
                                 freed_runs=[[0, 10**8]], kept_runs=[[0, 10**8]])],
    "a short text of many ids": [header(sequences=[table(0, bomb(2**27))])],
    "short texts of many ids": [header(sequences=[table(i, bomb(10**6)) for i in range(99)])],
    "a text of more ids than the pool has": [
        header(num_blocks=16, sequences=[table(0, bomb(2**27))])],
    "a node of many ids": [header(nodes=[node(0, None, block_ids=bomb(2**27))])],
    "a pool that is too large": [header(num_blocks=2**62)],
    "forks of forks": [header(), started(0, 100_000), *(
        event("SequenceForked", sequence_id=i, parent_id=i - 1, num_tokens=100_000)
        for i in range(1, 4000))],
    "a prompt stored again and again": [header(), started(0, 100_000), *(
        stored(i, None, [[0, 50_000]], sequence_id=0, token_ids=None) for i in range(500))],
    "deep lists": [header(), b'{"type":"AllBlocksCleared","seq":0,"step":' + b"[" * 10**6],
    "lists deep enough to parse": [
        header(), b'{"type":"TreeResynced","seq":0,"step":0,"nodes":%s}'
        % (b"[" * 800 + b"]" * 800)],
    "deep objects": [header(), b'{"a":' * 10**6],
    "a number without end": [header(), b'{"type":"AllBlocksCleared","seq":%s}' % (b"9" * 10**6)],
    "a key twice": [header(), b'{"type":"AllBlocksCleared","seq":0,"seq":0,"step":0}'],
    "NaN": [header(), b'{"type":"AllBlocksCleared","seq":NaN,"step":0}'],
    "infinity": [header(), b'{"type":"AllBlocksCleared","seq":Infinity,"step":0}'],
    "a huge sequence number": [header(), b'{"type":"AllBlocksCleared","seq":1e400,"step":0}'],
    "two headers": [header(), header()],
    "zeros": [header(), b"\x00" * 10**6],
}  # fmt: skip


@pytest.mark.parametrize("records", HARM.values(), ids=HARM)
def test_what_was_made_to_do_harm_does_none(tmp_path, records):
    path = tmp_path / "run.jsonl"
    events = (r | {"seq": n} if isinstance(r, dict) else r for n, r in enumerate(records[1:]))
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in (records[0], *events)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=r"run\.jsonl:\d+: "):
            fold_all(*read_recording(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64_000_000 + 300 * path.stat().st_size
