"""Exercise 8.5.4 as a list of rules, points and hints."""

from radixlab.grade.ex4.cost import MOST_PER_LEVEL, check_deterministic, check_examined
from radixlab.grade.ex4.order import check_order
from radixlab.grade.ex4.safety import MAX_WEIGHT, NUM_BLOCKS, NUM_OPERATIONS, check_safety
from radixlab.grade.ex4.traces import (
    GATES,
    SCORED,
    check_prediction,
    check_tenant,
    check_traces,
)
from radixlab.grade.items import Exercise, Item

NEEDS = ("MyPolicy",)
LIMIT_S = 60.0
"""Three seconds for most, about eight for the traces; a busy machine takes several times that."""
TARGETS = " and ".join(f"{one.target} on {one.workload}" for one in SCORED)
LOSSES = ", ".join(f"{gate.most_lost:.1%} on {gate.workload}" for gate in GATES)

EXERCISE = Exercise(
    id="8.5.4",
    title="Implement a custom eviction policy",
    notebook="ex4_eviction_policy",
    items=(
        Item(
            "safety",
            4,
            f"In {NUM_OPERATIONS:,} random operations every victim of MyPolicy is an unlocked leaf "
            f"of the tree, and at the end it keeps no more than {MAX_WEIGHT:,} entries for a pool "
            f"of {NUM_BLOCKS} blocks.",
            check_safety,
            (
                "A candidate may stop being one before its turn comes.",
                "on_evictable makes a candidate, on_protected and on_remove end it. What you keep "
                "about a node has to go when the node goes.",
                "Keep a dict of candidates by node id; delete in on_protected and in on_remove; "
                "return only nodes that are in it.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "order",
            2,
            "LeastRecent evicts exactly what LRU evicts, in the same order.",
            check_order,
            (
                "A node that becomes a leaf again may have been used long ago.",
                "Order by node.tick, which tells when it was last used, not by when it became a "
                "candidate.",
                "heapq with (node.tick, node.id, node), pushed in on_evictable; skip entries of "
                "nodes that are no candidates any more, or were used since.",
            ),
            ("LeastRecent",),
            LIMIT_S,
        ),
        Item(
            "traces",
            8,
            f"On hidden traces MyPolicy closes the gap between LRU and the optimum: {TARGETS} earn "
            f"all points. It loses at most {LOSSES} of the token hit rate against LRU; if it loses "
            f"more, there are no points here.",
            check_traces,
            (
                "Which leaves does the scan leave behind, and what do they have in common?",
                "What was never used again is either a scan or the last turn of a chat. Learn "
                "which: of the leaves that were evicted unused, how many come back?",
                "Remember the keys of evicted nodes for a while, and whether they had been used. "
                "While the unused ones come back far less often than the used ones, evict unused "
                "leaves first; else the least recent of all.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "tenant",
            2,
            "On tenants MyPolicy finds more than LRU, and the worst-off tenant is not starved.",
            check_tenant,
            (
                "Look at the tenants one by one: who pays for your gain?",
                "A small tenant's documents are used as surely as a large one's, only later.",
                "Judge a leaf by whether it was used again, not by how often in absolute numbers.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "examined",
            2,
            f"victim() reads the fields of at most {MOST_PER_LEVEL} · log2(n) nodes, in the mean, "
            f"where n leaves are evictable, and its CPU time hardly grows with n.",
            check_examined,
            (
                "How many candidates do you look at for one victim?",
                "The hooks tell of every change: keep the candidates in order all the time.",
                "A heap from which entries that are out of date are dropped when they surface.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "deterministic",
            1,
            "The same requests give the same victims.",
            check_deterministic,
            (
                "What in your policy could differ between two runs?",
                "Chance, clocks, id() and the order of a set of objects.",
                "Break ties by node.id.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "prediction",
            1,
            "PREDICTION names the hidden trace on which MyPolicy gains most over LRU.",
            check_prediction,
            (
                "Where does LRU do worst?",
                "Race your policy on all five with other seeds.",
                'try_on(MyPolicy, name, num_blocks, seed) for each; then PREDICTION = "…".',
            ),
            ("MyPolicy", "PREDICTION"),
            LIMIT_S,
        ),
    ),
)
