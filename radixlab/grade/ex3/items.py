"""Exercise 8.5.3 as a list of rules, points and hints."""

from radixlab.grade.ex3.gains import (
    FORGIVEN,
    LEAST,
    LEAST_BY_PINS,
    NEAR,
    PINNED,
    TARGET,
    check_hits,
    check_hot_spot,
    check_memory,
    check_regression,
    check_rules,
)
from radixlab.grade.ex3.growth import ALL_AT, LARGEST, SIZES, check_growth
from radixlab.grade.items import Exercise, Item

NEEDS = ("plan",)
LIMIT_S = 30.0
GROWTH_LIMIT_S = 20.0
"""A tenth of it is enough for a plan whose work is in proportion to the requests."""
PLAN = ("hits",)
"""A plan that finds no more than order of arrival earns nothing for doing no harm."""

EXERCISE = Exercise(
    id="8.5.3",
    title="Optimise the tree for a workload",
    notebook="ex3_workload_plan",
    items=(
        Item(
            "hits",
            8,
            f"On hidden workloads of each of the four patterns, the plan goes {TARGET} of the way "
            f"from order of arrival to memory without end, in tokens found; {LEAST} earns nothing.",
            check_hits,
            (
                "On which pattern does the plan go least far? When is a prefix lost there that "
                "somebody will ask for again, and what came in between?",
                "On each pattern a different instrument decides. On document-qa, a request for the "
                "same document comes next. On multi-turn-chat, what nobody will ask for again is "
                "not registered. On agent, pins keep what is used seldom. On few-shot, blocks are "
                "small.",
                "Among the next few times max_wait requests, serve the one that shares most with "
                "the last. Going backwards through your order, note when each prefix is used next: "
                "register up to the longest that is used again, and pin it until then if that is "
                "more than a few positions away. Choose blocks of about an eighth of the length "
                "that is usually shared.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "rules",
            2,
            "The plan keeps the five rules on workloads of every size: one request or hundreds, "
            "prompts of three tokens or thousands, any max_wait.",
            check_rules,
            (
                "What does your plan do with one request, or with prompts shorter than a step?",
                "A maximum over nothing, the first entry of an empty list: which line fails?",
                "Run plan on scene(pattern, 1, num_requests=1), on stride=1000, and on max_wait=0 "
                "and 1000.",
            ),
            NEEDS,
            LIMIT_S,
            PLAN,
        ),
        Item(
            "growth",
            3,
            f"On each pattern, the CPU time of plan() grows with the number of requests with a "
            f"slope of at most {ALL_AT}, from {SIZES[0]:,} to {SIZES[1]:,} of them, and on one "
            f"pattern to {LARGEST:,}.",
            check_growth,
            (
                "Do you compare every request with every other?",
                "A dictionary finds all requests that begin alike without comparing them. And how "
                "far ahead does it pay to look for the next request?",
                "Number the prefixes: numbers.setdefault((number above, the next 8 tokens), "
                "len(numbers)). From then on compare numbers, and look at no more than a few times "
                "max_wait requests for each position.",
            ),
            NEEDS,
            GROWTH_LIMIT_S,
            PLAN,
        ),
        Item(
            "memory",
            2,
            f"On {PINNED} the pins add at least {100 * LEAST_BY_PINS:g} percentage point to what "
            f"the plan finds without them, and when all requests are served, no pin holds a block "
            f"any more.",
            check_memory,
            (
                "What is used again, but so late that it is evicted before?",
                "A pin keeps only what is cached when it begins, and it has to end.",
                "Pin(the tokens used again, the position after this use, the position after the "
                "next use); the request before must register these tokens.",
            ),
            NEEDS,
            LIMIT_S,
            PLAN,
        ),
        Item(
            "regression",
            2,
            f"On workloads of other sizes the plan finds at most {100 * FORGIVEN:g} percentage "
            f"point fewer prompt tokens than order of arrival, and breaks no rule.",
            check_regression,
            (
                "Which of your numbers did you find by trying them on one workload?",
                "A fixed number of tokens suits one workload and ruins another. The workload has "
                "all that is needed to compute the number: max_wait, pool_tokens, the requests.",
                "Compute the block size and the insertion from the requests, never from the "
                "name of the pattern. Try it with try_plan and a stride.",
            ),
            NEEDS,
            LIMIT_S,
            PLAN,
        ),
        Item(
            "hot-spot",
            3,
            f"On every workload, hot_spot saves as much as the best prefix: its tokens times the "
            f"requests that find them all, in a cache that evicts nothing; {NEAR:.0%} earns "
            f"nothing.",
            check_hot_spot,
            (
                "Which saves more: a long prefix that two requests share, or a short one that all "
                "share?",
                "Neither the longest nor the most frequent one: the product counts.",
                "For every numbered prefix: its tokens * (how many requests have it - 1); the "
                "first of them computes it. Name the one with the largest product.",
            ),
            NEEDS,
            LIMIT_S,
            PLAN,
        ),
    ),
)
