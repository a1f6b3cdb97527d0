"""No class does any work: nodes are lists, methods close over them, a receipt is a call."""

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats

ABOVE, BLOCK, ID, LOCKS, BELOW = range(5)


def RadixTree(block_size):
    root = [None, (), None, 0, {}]

    def blocks(tokens):
        return [
            tokens[i : i + block_size] for i in range(0, len(tokens) - block_size + 1, block_size)
        ]

    def match_prefix(tokens):
        node, ids = root, []
        for block in blocks(tokens):
            if block not in node[BELOW]:
                break
            node = node[BELOW][block]
            ids += [node[ID]]
        return Match(node, ids)

    def insert(tokens, block_ids):
        cached = len(match_prefix(tokens).block_ids)
        node, own = root, []
        for block, mine in zip(blocks(tokens), block_ids, strict=True):
            node = node[BELOW].setdefault(block, [node, block, mine, 0, {}])
            own += [node[ID]]
        return InsertResult(
            node, own, cached, [a for a, b in zip(block_ids, own, strict=True) if a != b]
        )

    def lock(node):
        def change(by, node=node):
            while node:
                node[LOCKS] += by
                node = node[ABOVE]

        change(1)
        calls = [lambda: change(-1)]
        return calls.pop

    def unlock(receipt):
        receipt()()  # the second time there is nothing to pop

    def below(node):
        for child in node[BELOW].values():
            yield child
            yield from below(child)

    def evict(num_blocks):
        gone = []
        for node in reversed(list(below(root))):
            if len(gone) < num_blocks and not node[LOCKS] and not node[BELOW]:
                del node[ABOVE][BELOW][node[BLOCK]]
                gone += [node[ID]]
        return gone

    def walk():
        for node in below(root):
            above = None if node[ABOVE] is root else node[ABOVE]
            yield NodeView(node, above, node[BLOCK], [node[ID]], node[LOCKS])

    def stats():
        locks = [min(node[LOCKS], 2) for node in below(root)]
        return TreeStats(len(locks), locks.count(2), locks.count(1), locks.count(0))

    class Tree:
        pass

    tree = Tree()
    vars(tree).update(locals())
    return tree
