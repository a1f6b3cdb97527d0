"""The canary is perturbed, one kind after the other, to prove that it fires on each."""

import pytest

from radixlab.cache import CanaryError
from tests.cache.helpers import SALT, Checked, start


def field(name: str):
    """Flip one bit of one field of a slot."""

    def perturb(data, mine, sibling):
        data[mine, 2][name] ^= 1

    return perturb


def never_written(data, mine, sibling):
    data[mine, 2]["position"] = -1


def swapped_slots(data, mine, sibling):
    data[mine, [2, 3]] = data[mine, [3, 2]]


def a_siblings_block(data, mine, sibling):
    data[mine] = data[sibling]


def swapped_blocks(data, mine, sibling):
    data[[mine, sibling]] = data[[sibling, mine]]


# What is done to the third block of "axb.", whose sibling "ayb." has equal tokens there: the
# position that must be named first, and what must be said of it.
KINDS = {
    "token": (field("token"), 10, "token 99, not 98"),
    "position": (field("position"), 10, "position 11, not 10"),
    "prefix": (field("prefix"), 10, "after a different prefix"),
    "namespace": (field("namespace"), 10, "of another namespace"),
    "never written": (never_written, 10, "never written"),
    "two slots swapped": (swapped_slots, 10, "position 11, not 10"),
    "a block copied from a sibling": (a_siblings_block, 8, "after a different prefix"),
    "two blocks swapped": (swapped_blocks, 8, "after a different prefix"),
}


@pytest.mark.parametrize(("perturb", "position", "says"), KINDS.values(), ids=KINDS)
def test_the_canary_fires_on(perturb, position, says):
    lab = Checked()
    mine, sibling = start(lab, "axb.", SALT), start(lab, "ayb.", SALT)
    lab.canary.read(mine)
    perturb(lab.canary.store.data, mine.block_table[2], sibling.block_table[2])
    slot = int(mine.slots(position, position + 1, 4)[0])
    where = f"sequence {mine.id}, position {position}, slot {slot} of block {slot // 4}: "
    with pytest.raises(CanaryError, match=f"^{where}.*{says}$|^{where}{says}"):
        lab.canary.read(mine)
    lab.canary.read(mine, position)


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_under_oath_asks_the_canary(kind):
    lab = Checked()
    mine, sibling = start(lab, "axb.", SALT), start(lab, "ayb.", SALT)
    KINDS[kind][0](lab.canary.store.data, mine.block_table[2], sibling.block_table[2])
    with pytest.raises(CanaryError):
        lab.evict(0)
