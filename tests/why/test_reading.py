"""A log as requests, in order and by offset, plain and packed."""

import gzip
import io
import json
import random
import zlib

import pytest

from radixlab.why import lines, packed, reading
from radixlab.why.errors import WhyError
from radixlab.why.reading import RequestLog, read_at, read_log

GOOD = {"prompt": "Where is the depot?", "timestamp": 7}


def written(*rows):
    """Rows as the bytes of a log; those that are bytes stand as they are."""
    return b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)


def read(path):
    skipped = []
    return list(read_log(path, skipped.append)), skipped


def log_of(tmp_path, data, packer=lambda data: data):
    path = tmp_path / "log.jsonl"
    path.write_bytes(packer(data))
    return path


def members(data):
    """A gz file of many members and zeros at its end, as `cat a.gz b.gz` and tapes make them."""
    size = max(1, len(data) // 7)
    packs = [gzip.compress(data[at : at + size], 1) for at in range(0, len(data), size)]
    return b"".join(packs) + bytes(300)


PACKERS = {"plain": lambda data: data, "gz": gzip.compress, "members": members}
ENDS = {"lf": b"\n", "crlf": b"\r\n", "blank lines": b"\n\n \r\n"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("packer", PACKERS.values(), ids=PACKERS)
@pytest.mark.parametrize("bom", [b"", reading.BOM], ids=["", "bom"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "open"])
def test_each_request_is_read_and_read_again_by_its_offset(tmp_path, end, packer, bom, last):
    texts = ["a", "déjà vu 🚚", "line\nline", "x" * 5000]
    data = bom + end.join(json.dumps({"prompt": text}).encode() for text in texts)
    path = log_of(tmp_path, data + end * last, packer)
    with RequestLog(path) as log:
        requests = list(log)
        assert [request.text for request in requests] == texts
        for request in random.Random(0).sample(requests * 2, 8):
            assert log.at(request.offset, request.line) == request
    for request in requests:
        assert data[request.offset :].removeprefix(bom)[:1] == b"{"
        assert read_at(path, request.offset).text == request.text


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path):
    path = log_of(tmp_path, written(b"\n", GOOD, b"\n\r\n\n", b"{\n", GOOD))
    requests, skipped = read(path)
    assert [request.line for request in requests] == [2, 6]
    assert len(skipped) == 1 and skipped[0].startswith("line 5: not JSON")


@pytest.mark.parametrize("packer", PACKERS.values(), ids=PACKERS)
def test_several_prompts_in_a_line_are_told_apart_by_their_offsets(tmp_path, packer):
    many = [f"p{number}" for number in range(3000)]
    path = log_of(tmp_path, written(GOOD, b"\n", {"prompt": many}, b"\n", GOOD), packer)
    with RequestLog(path) as log:
        requests = list(log)
        assert [r.text for r in requests[1:-1]] == many
        assert len({request.offset for request in requests}) == len(requests)
        for request in (*requests[:9], *requests[-9:]):
            assert log.at(request.offset, request.line) == request


def test_a_large_gz_is_read_from_anywhere_without_unpacking_it_all(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "FIRST_DISTANCE_BYTES", 2**12)
    monkeypatch.setattr(packed, "MOST_KEPT", 32)
    rng = random.Random(1)
    rows = [{"prompt": f"{n} " + rng.randbytes(rng.randrange(900)).hex()} for n in range(600)]
    path = log_of(tmp_path, b"\n".join(json.dumps(row).encode() for row in rows), members)
    unpacked = 0
    with RequestLog(path) as log:
        requests = list(log)
        kept = log._kept
        assert len(kept.copies) <= 32
        original = packed.Unpacked._unpack

        def counted(self, most):
            nonlocal unpacked
            data = original(self, most)
            unpacked += len(data)
            return data

        monkeypatch.setattr(packed.Unpacked, "_unpack", counted)
        chosen = rng.sample(requests, 50)
        assert [log.at(r.offset).text for r in chosen] == [r.text for r in chosen]
    assert unpacked < 50 * (2 * kept.distance + 2 * lines.SMALL_BUFFER_BYTES)


@pytest.mark.parametrize("name", ["seek", "read"])
def test_an_unpacked_file_seeks_as_a_plain_one(tmp_path, monkeypatch, name):
    monkeypatch.setattr(packed, "FIRST_DISTANCE_BYTES", 1000)
    data = random.Random(2).randbytes(30_000).hex().encode()
    path = log_of(tmp_path, data, members)
    rng, plain = random.Random(name), io.BytesIO(data)
    with io.BufferedReader(packed.Unpacked(path), 512) as file:
        for _ in range(200):
            position, size = rng.randrange(len(data) + 100), rng.randrange(2000)
            file.seek(position)
            plain.seek(min(position, len(data)))
            assert file.read(size) == plain.read(size)


@pytest.mark.parametrize("offset", [-1, 3, 40, 10**6, 10**30])
def test_an_offset_where_no_request_is_is_refused(tmp_path, offset):
    path = log_of(tmp_path, written(GOOD, b"\n", b"{}"))
    with pytest.raises(WhyError, match=r"byte|offset"):
        read_at(path, offset)


@pytest.mark.parametrize("begin", lines.OTHER_FORMATS, ids=lines.OTHER_FORMATS.get)
def test_other_kinds_of_files_are_named(tmp_path, begin):
    path = log_of(tmp_path, begin + bytes(100))
    with pytest.raises(WhyError, match=lines.OTHER_FORMATS[begin]):
        list(read_log(path))


def test_files_that_cannot_be_opened_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "none.jsonl"):
        with pytest.raises(WhyError, match=str(path)):
            list(read_log(path))


def test_an_empty_file_has_no_request(tmp_path):
    assert read(log_of(tmp_path, b"")) == ([], [])
    assert read(log_of(tmp_path, gzip.compress(b""))) == ([], [])


def flipped(data):
    return data[:-7] + bytes([data[-7] ^ 1]) + data[-6:]


DAMAGE = {
    "cut": lambda data: data[:-20],
    "cut in the trailer": lambda data: data[:-3],
    "a lying length": lambda data: data[:-4] + b"\xff\xff\xff\x7f",
    "a wrong checksum": flipped,
    "garbage behind": lambda data: data + b"what is this",
    "garbage inside": lambda data: data[: len(data) // 2] + bytes(64) + data[len(data) // 2 + 64 :],
    "only a header": lambda data: data[:12],
    "a gz of nothing that ends": lambda data: b"\x1f\x8b",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_gz_is_named_in_one_line_and_read_up_to_there(tmp_path, damage):
    rows = [json.dumps({"prompt": random.Random(n).randbytes(99).hex()}) for n in range(500)]
    path = log_of(tmp_path, damage(gzip.compress("\n".join(rows).encode() + b"\n")))
    requests, skipped = read(path)
    assert "gz" in skipped[-1] and not any("\n" in text for text in skipped)
    assert len(skipped) == 1 or damage is DAMAGE["garbage inside"]  # there, lines are garbled first
    texts = [json.loads(row)["prompt"] for row in rows]
    num_right = len(skipped) == 1 and len(requests)
    assert [request.text for request in requests[:num_right]] == texts[:num_right]
    if damage in (DAMAGE["garbage behind"], DAMAGE["a lying length"], DAMAGE["a wrong checksum"]):
        assert len(requests) == 500


def bomb(size, unit):
    """A few kilobytes of gz that unpack to `size` bytes of `unit`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = unit * (2**20 // len(unit))
    parts = [packer.compress(chunk) for _ in range(size // len(chunk))]
    return b"".join(parts) + packer.flush()


BOMBS = {"zeros": b"\0", "blank lines": b"\n", "bad lines": b"7\n", "open brackets": b"["}


@pytest.mark.parametrize("unit", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_given_up_with_little_memory(tmp_path, monkeypatch, unit):
    monkeypatch.setattr(lines, "MAX_PASSED_BYTES", 2**25)
    monkeypatch.setattr(lines, "MAX_BLANK_LINES", 5000)
    monkeypatch.setattr(reading, "MAX_BAD_LINES", 5000)
    import tracemalloc

    path = log_of(tmp_path, bomb(2**26, unit))
    assert path.stat().st_size < 2**17
    number, last = 0, ""

    def count(text):
        nonlocal number, last
        number, last = number + 1, text

    tracemalloc.start()
    try:
        assert list(read_log(path, count)) == []
        assert tracemalloc.get_traced_memory()[1] < 4 * lines.MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
    assert "the rest of the file is not read" in last and number <= 5001
