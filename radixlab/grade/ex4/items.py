"""Exercise 8.5.4 as a list of rules, points and hints."""

from radixlab.grade.ex4.audit import NUM_BLOCKS, NUM_OPERATIONS, check_order, check_safety
from radixlab.grade.ex4.growth import (
    MAX_LEAK_BYTES,
    MAX_WEIGHT,
    MOST_GROWTH,
    MOST_OF_LRU,
    MOST_PER_LEVEL,
    NUM_PERIODS,
    SIZES,
    check_examined,
)
from radixlab.grade.ex4.traces import (
    GATES,
    LEAST_GAIN,
    MOST_LOST_BY_A_TENANT,
    NEARLY,
    SCORED,
    check_deterministic,
    check_prediction,
    check_tenant,
    check_traces,
)
from radixlab.grade.items import Exercise, Item

NEEDS = ("MyPolicy",)
LIMIT_S = 60.0
"""The traces take about six."""
TARGETS = " and ".join(f"{one.all_at} on {one.workload}" for one in SCORED)
LOSSES = ", ".join(
    f"{100 * gate.all_at:g} on {gate.workload} ({100 * gate.nothing_at:g} earn nothing)"
    for gate in GATES
)

EXERCISE = Exercise(
    id="8.5.4",
    title="Implement a custom eviction policy",
    notebook="ex4_eviction_policy",
    items=(
        Item(
            "safety",
            4,
            f"In random operations on caches of several sizes every victim of MyPolicy is an "
            f"unlocked leaf of the tree. After {(1 + NUM_PERIODS) * NUM_OPERATIONS:,} of them on "
            f"{NUM_BLOCKS} blocks the policy keeps at most {MAX_WEIGHT:,} entries, and its process "
            f"does not grow by more than {MAX_LEAK_BYTES >> 10} KB in every {NUM_OPERATIONS:,}.",
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
            "LeastRecent evicts exactly what LRU evicts, in the same order, in small caches and in "
            "one with thousands of leaves.",
            check_order,
            (
                "A node that becomes a leaf again may have been used long ago.",
                "Order by node.tick, which tells when it was last used, not by when it became a "
                "candidate.",
                "heapq with (node.tick, node.id, node), pushed in on_evictable; skip entries of "
                "nodes that are not candidates any more, or were used since.",
            ),
            ("LeastRecent",),
            LIMIT_S,
        ),
        Item(
            "traces",
            8,
            f"On hidden traces MyPolicy closes part of the gap between LRU and the optimum: "
            f"{TARGETS} earn all points, and half of that earns half. On the gates it may lose "
            f"token hit rate against LRU, at most these percentage points: {LOSSES}.",
            check_traces,
            (
                "Which leaves does the scan leave behind, and what do they have in common?",
                "What was never used again is either a scan or the last turn of a chat. Learn "
                "which: of the leaves that were evicted unused, how many come back?",
                "Remember the keys of evicted nodes for a while, and whether they had been used. "
                "While the unused ones come back far less often than the used ones, evict unused "
                "leaves first; otherwise evict the least recent of all.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "tenant",
            2,
            f"On tenants MyPolicy finds at least {100 * LEAST_GAIN:g} percentage points more "
            f"prompt tokens than LRU, and the worst-off tenant loses at most "
            f"{100 * MOST_LOST_BY_A_TENANT:g}.",
            check_tenant,
            (
                "Look at the tenants one by one: who pays for your gain?",
                "A small tenant's documents are used as surely as a large one's, only later.",
                "Judge a leaf by whether it was used again, not by how often.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "examined",
            2,
            f"victim() reads the fields of at most {MOST_PER_LEVEL} · log2(n) nodes on average, "
            f"where n leaves are evictable. For a victim of {SIZES[1]:,} leaves the process takes "
            f"at most {MOST_GROWTH:g} times the CPU time that it takes with {SIZES[0]}, and at "
            f"most {MOST_OF_LRU:g} times what a plain LRU takes with {SIZES[0]}.",
            check_examined,
            (
                "How many candidates do you look at for one victim?",
                "The hooks tell of every change: keep the candidates in order all the time.",
                "Use a heap, and drop an entry that is out of date when it comes to the top.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "deterministic",
            1,
            "The same requests give the same victims, in another process too, and whatever ran "
            "there before.",
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
            f"PREDICTION names the kind of trace on which MyPolicy gains most over LRU, or one "
            f"with at least {NEARLY:.0%} of that gain.",
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
