"""Exercise 8.5.1 as a list of rules, points and hints."""

from radixlab.grade.ex1 import traffic
from radixlab.grade.ex1.children import check_children
from radixlab.grade.ex1.play import check_of
from radixlab.grade.ex1.work import MOST_PER_TOKEN, check_work
from radixlab.grade.items import Exercise, Item

NEEDS = ("RadixTree",)

EXERCISE = Exercise(
    id="8.5.1",
    title="Implement a block-level radix tree",
    notebook="ex1_radix_tree",
    items=(
        Item(
            "match",
            3,
            "match_prefix finds the blocks of the longest cached prefix in whole blocks: a block "
            "counts if all its tokens agree, and tokens beyond the last whole block never count.",
            check_of(traffic.match_scenarios),
            (
                "How many blocks do six tokens fill, in blocks of four? And where does a key go "
                "that agrees with five cached tokens?",
                "Compare block by block, and stop at the first block that differs or is not whole.",
                "child = node.children.get(tokens[start : start + size]): a slice that is too "
                "short is not a child's key, so the ragged end needs no case of its own.",
            ),
            NEEDS,
        ),
        Item(
            "split",
            4,
            "Where two keys part, a node is split at a block boundary, nothing below it is lost, "
            "and insert says how many leading blocks were there before.",
            check_of(traffic.split_scenarios),
            (
                "Draw it: one node of three blocks, and a key that shares the first of them.",
                "A new upper node takes the shared blocks and becomes the parent's child instead "
                "of the old node. The old node keeps the rest, and its children.",
                "upper = Node(lower.parent, lower.tokens[: n * size], lower.block_ids[:n]); put it "
                "in the parent's children where lower was, cut lower, and make it upper's child.",
            ),
            NEEDS,
        ),
        Item(
            "children",
            3,
            "Blocks that differ in any token are different blocks: those with the same first "
            "token, the same last, or the same tokens in another order are all kept and found.",
            check_children,
            (
                "Two prompts begin with the same word. Must they share a block?",
                "A child is found by its whole first block, and by nothing less.",
                "The key is the tuple of the block's tokens: children[tokens[:block_size]].",
            ),
            NEEDS,
        ),
        Item(
            "reinsert",
            3,
            "What is there stays: insert returns the tree's blocks for the whole key, and hands "
            "back exactly those of the caller's ids that differ from them.",
            check_of(traffic.reinsert_scenarios),
            (
                "Two requests computed the same block at the same time. Who frees the second copy?",
                "The tree keeps its own id. The caller's is a duplicate, unless it is the same id.",
                "[mine for mine, own in zip(block_ids, kept) if mine != own], where kept is what "
                "the result's block_ids say.",
            ),
            NEEDS,
        ),
        Item(
            "lock",
            3,
            "lock_ref is the number of receipts held at or below a node, whatever was split since; "
            "unlock undoes one lock, and raises for a receipt that was used before.",
            check_of(traffic.lock_scenarios),
            (
                "A request that holds a leaf reads every block from the root on.",
                "lock adds one to the node and all its ancestors, and unlock subtracts it again. A "
                "receipt ends where its key ends: so both halves of a split node are held.",
                "In split: upper.lock_ref = lower.lock_ref, and lower stays the object that "
                "receipts name. The receipt remembers that it was used.",
            ),
            NEEDS,
        ),
        Item(
            "evict",
            4,
            "evict(n) takes exactly n blocks, or all that no receipt protects, from the ends of "
            "unlocked leaves upwards, and returns each id once.",
            check_of(traffic.evict_scenarios),
            (
                "May a block be evicted while the tree still has one that continues it?",
                "Take blocks off a leaf's end. A leaf without blocks is gone, and its parent may "
                "be an unlocked leaf now: go on with it.",
                "leaves = […]; while leaves and len(gone) < n: pop one, take what is needed off "
                "its end; if it is empty, delete it from its parent, and append the parent if it "
                "has no children, no lock, and is not the root.",
            ),
            NEEDS,
        ),
        Item(
            "statistics",
            1,
            "stats() counts the nodes that walk yields, and their blocks by lock_ref: shared from "
            "2, unique at 1, cached at 0.",
            check_of(traffic.stats_scenarios),
            (
                "Everything you need is in walk.",
                "Count blocks, not nodes, and leave out the root.",
                "sum(len(v.block_ids) for v in self.walk() if v.lock_ref >= 2), and so on.",
            ),
            NEEDS,
        ),
        Item(
            "machine",
            3,
            "Over long random runs of all methods every answer agrees with a simple model, and so "
            "does what walk shows after it.",
            check_of(traffic.machine_scenarios),
            (
                "Look at the shortest run that fails: which call broke the tree?",
                "Suspect what is stored twice: a list of leaves, a cache of answers, a count.",
                "Write a method that checks what must always hold (a child's parent is the node "
                "it hangs on, its key is its first block) and call it after every call.",
            ),
            NEEDS,
        ),
        Item(
            "work",
            1,
            "The work of match_prefix and insert is proportional to the key's length, with ten "
            f"thousand paths in the tree: at most {MOST_PER_TOKEN} comparisons, hashes and copies "
            "of a token, and about the same CPU time for each.",
            check_work,
            (
                "What does your tree do with a key whose first block has ten thousand siblings? "
                "And how often does it touch the last token of a long key?",
                "Look children up in a dictionary. Compare and copy each block once.",
                "Keep an index into the key, and slice one block at a time: "
                "tokens[start : start + size], never tokens[start:].",
            ),
            NEEDS,
            rests_on=("match", "split", "children", "reinsert"),
        ),
    ),
)
