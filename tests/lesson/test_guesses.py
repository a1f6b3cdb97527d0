import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from radixlab.lesson.guesses import GuessBook


@pytest.fixture
def book(home):
    return GuessBook(home / "guesses.json")


def in_process(code, book, **options):
    script = (
        "import sys, pathlib\n"
        "from radixlab.lesson.guesses import GuessBook\n"
        "book = GuessBook(pathlib.Path(sys.argv[1]))\n" + code
    )
    return subprocess.Popen([sys.executable, "-c", script, str(book.path)], **options)


def test_no_guess_is_none_and_makes_no_folder(book, home):
    assert book.get("a") is None
    assert not home.exists()


@pytest.mark.parametrize("guess", [30, 62.5, "lru", "größer"])
def test_a_guess_comes_back_as_it_was(book, guess):
    book.save("a", guess)
    assert GuessBook(book.path).get("a") == guess


def test_the_last_guess_counts_and_others_stay(book):
    book.save("a", 1)
    book.save("b", 2)
    book.save("a", 3)
    assert (book.get("a"), book.get("b")) == (3, 2)


def test_a_guess_outlives_its_process(book):
    assert in_process("book.save('a', 7)", book).wait() == 0
    assert book.get("a") == 7


def test_writers_at_once_lose_nothing(book):
    script = "import os\nfor i in range(25): book.save(f'{os.getpid()}-{i}', i)"
    writers = [in_process(script, book) for _ in range(3)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda i: book.save(f"thread-{i}", i), range(40)))
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(json.loads(book.path.read_text())) == 3 * 25 + 40


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_writer_killed_half_way_leaves_the_old_file_and_no_lock(book):
    book.save("a", 1)
    code = (
        "import os\n"
        "def die(fd): print('writing', flush=True); import time; time.sleep(60)\n"
        "os.fsync = die\n"
        "book.save('a', 2)"
    )
    writer = in_process(code, book, stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert book.get("a") == 1
    book.save("b", 2)
    assert (book.get("a"), book.get("b")) == (1, 2)


@pytest.mark.parametrize("broken", [b'{"a": 1', b"[1, 2]", b'{"a": [1]}', b"\xff\xfe\x00", b""])
def test_a_broken_file_is_set_aside_with_one_line(book, broken, capsys):
    book.path.parent.mkdir()
    book.path.write_bytes(broken)
    assert book.get("a") is None
    book.save("a", 2)
    assert book.get("a") == 2
    assert (book.path.parent / "guesses.broken-1.json").read_bytes() == broken
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "guesses.broken-1.json" in said


def test_a_second_broken_file_does_not_replace_the_first(book):
    book.path.parent.mkdir()
    for text in ("first", "second"):
        book.path.write_text(text)
        book.get("a")
    kept = sorted(book.path.parent.glob("guesses.broken-*.json"))
    assert [path.read_text() for path in kept] == ["first", "second"]
