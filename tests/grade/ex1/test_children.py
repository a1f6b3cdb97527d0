"""A child that is found by less than its whole block is told from a right one, whatever is lost."""

import numpy as np
import pytest

from radixlab.exercise import tree_work
from radixlab.exercise.tree_twins import mistaken, numbers_in
from radixlab.grade.ex1.children import NUM_RANDOM
from radixlab.grade.ex1.twins import GREAT, LEAST, MOST, twins_by
from radixlab.grade.items import Trial
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.1"]
CHILDREN = """
import hashlib, json, pickle, random, struct, zlib
from array import array

{key}


class Children(dict):
    def get(self, block):
        child = super().get(key_of(block))
        return child if child and {found} else None

    def __setitem__(self, block, child):
        super().__setitem__(key_of(block), child)
        child.block = block

    def __delitem__(self, block):
        super().__delitem__(key_of(block))


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Children()
"""
FOUND = {"believes the key": "True", "compares the block": "child.block == block"}
SHORT = {  # 32 bits of something: no difference is known that fools it
    "md5": "hashlib.md5(repr(block).encode()).digest()[:4]",
    "the end of sha1": "hashlib.sha1(str(block).encode()).digest()[-4:]",
    "eight hex digits": "hashlib.sha256(repr(list(block)).encode()).hexdigest()[:8]",
    "the middle": "hashlib.sha512(array('q', block).tobytes()).digest()[10:14]",
    "blake2b": "hashlib.blake2b(array('q', block).tobytes(), digest_size=4).digest()",
    "blake2s": "hashlib.blake2s(pickle.dumps(block), digest_size=4, key=b'mine').hexdigest()",
    "a remainder": "int(hashlib.md5(json.dumps(block).encode()).hexdigest(), 16) % (2**32 - 5)",
    "24 bits": "hashlib.sha3_256(repr(block).encode()).digest()[:3]",
    "crc of the text": "zlib.crc32(repr(block).encode())",
    "31 bits of the hash": "hash(block) & 0x7FFFFFFF",
    "the upper half of the hash": "hash(block) >> 32",
    "hash of the text": "hash(repr(block)) % 2**32",
    "generator": "random.Random(hash(block)).getrandbits(32)",
    "folded": "(lambda h: (h ^ h >> 32) & 0xFFFFFFFF)(hash(block) % 2**64)",
    "every token": "tuple(hashlib.md5(str(t).encode()).digest()[:4] for t in block)",
    "a float of 32 bits": "struct.pack('f', sum(map(hash, map(str, block))))",
    "after the first token": "(block[0], zlib.crc32(repr(block[1:]).encode()))",
    "before the last token": "(block[-1], zlib.adler32(repr(block[:-1]).encode()))",
    "between them": "(block[0], block[-1], hash(block[1:-1] or block) % 2**31)",
    "multiplied": "sum((t * 0x9E3779B97F4A7C15 % 2**64) >> 32 for t in block)",
}
PRIMES = (2**60 + 33, 2**61 - 1, 3 * 2**60 + 19, 2**63 - 25, 2**63 + 29, 2**64 - 59, 10**19 + 51)
FORMS = {  # where a number may stand
    "in the code": "def key_of(block):\n    return tuple(t % {p} for t in block)",
    "of the module": "P = {p}\n\ndef key_of(block):\n    return tuple(t % P for t in block)",
    "computed": "P = sum([{p} - 5, 5])\n\ndef key_of(block):\n"
    "    return tuple(t % P for t in block)",
    "a default": "def key_of(block, p={p}):\n    return tuple(t % p for t in block)",
    "of a class": "class Field:\n    p = {p}\n\ndef key_of(block):\n"
    "    return tuple(t % Field.p for t in block)",
    "of a closure": "def keyed(p):\n    return lambda block: tuple(t % p for t in block)\n\n"
    "key_of = keyed({p})",
    "of an object": "import functools\nkey_of = functools.partial(\n"
    "    lambda p, block: tuple(t % p for t in block), {p})",
    "in a list": "PS = [2, {p}]\n\ndef key_of(block):\n    return tuple(t % PS[1] for t in block)",
    "of NumPy": "import numpy as np\nP = np.uint64({p})\n\n"
    "def key_of(block):\n    return tuple(t % int(P) for t in block)",
    "of a polynomial": "def key_of(block):\n    h = 0\n    for t in block:\n"
    "        h = (h * 1_000_003 + t) % {p}\n    return h",
}


def lossy(key, found="True"):
    return f"{ZOO.master}\n\n{CHILDREN.format(key=key, found=found)}"


def of_text(expression):
    return f"def key_of(block):\n    return {expression}"


def assert_caught(text, seed):
    failure = ZOO.failure(text, "children", seed)
    assert failure is not None
    assert failure.scenario.count("\n") <= 3, failure.scenario  # two blocks, and no crowd


def test_a_key_of_32_bits_is_fooled_by_two_of_many_blocks():
    assert_caught(lossy(of_text(SHORT["md5"]), FOUND["compares the block"]), seed=0)


@pytest.mark.soak
@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("name", SHORT)
def test_any_key_of_32_bits_is_fooled(name, found):
    assert_caught(lossy(of_text(SHORT[name]), FOUND[found]), seed=1)


@pytest.mark.parametrize(("form", "prime"), [*zip(FORMS, [*PRIMES, *PRIMES], strict=False)])
def test_a_remainder_by_a_number_of_the_code_is_fooled_by_it(form, prime):
    text = lossy(FORMS[form].format(p=prime))
    assert prime in numbers_in(ZOO.loaded(text).RadixTree)
    assert_caught(text, seed=0)


@pytest.mark.soak
@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize("form", FORMS)
def test_any_remainder_is_fooled_wherever_its_number_stands(form, prime):
    assert_caught(lossy(FORMS[form].format(p=prime)), seed=2)


@pytest.mark.parametrize("size", [1, 2, 64])
def test_twins_by_numbers_fit_into_64_bits_and_differ(size):
    rng = np.random.default_rng(size)
    numbers = (*GREAT, 2, 3, 31, 2**63, 2**64 - 1)
    blocks = twins_by(numbers, rng, size)
    assert len({*blocks}) == len(blocks) > 4 * len({*numbers})
    assert all(len(block) == size for block in blocks)
    assert all(LEAST <= token <= MOST for block in blocks for token in block)
    for number in numbers:
        assert len({tuple(t % number for t in block) for block in blocks}) < len(blocks)


@pytest.mark.parametrize(
    "answer", [None, 7, "x", {}, [[]], [None, 2.5], ["1"], [2**70, -(2**70)], [[1]] * 9]
)
def test_odd_hints_are_passed_over(answer):
    def caller(where, *arguments):
        if where.startswith("radixlab.exercise.tree_twins"):
            return answer
        return trial_here.call(where, *arguments)

    learner = ZOO.loaded(ZOO.master)
    trial_here = Trial(learner, 0)
    assert ZOO.items["children"].check(Trial(learner, 0, caller=caller)) is None


def test_a_tree_that_gets_slow_is_not_waited_for(monkeypatch):
    # The cheat is loaded into this very process: what it replaces is put back at the end.
    monkeypatch.setattr(tree_work.Meter, "add", tree_work.Meter.add)
    monkeypatch.setattr(tree_work, "thread_time", tree_work.thread_time)
    assert mistaken(ZOO.loaded(ZOO.cheats["no_meter"]).RadixTree, 0, NUM_RANDOM, 0.2) == []
