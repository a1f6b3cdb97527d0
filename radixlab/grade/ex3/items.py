"""Exercise 8.5.3 as a list of rules, points and hints."""

from radixlab.grade.ex3.costs import MOST_SLOPE, SIZES, check_growth, check_memory
from radixlab.grade.ex3.gains import (
    MOST_LOST,
    NEAR,
    TARGET,
    check_hits,
    check_hot_spot,
    check_regression,
)
from radixlab.grade.items import Exercise, Item

NEEDS = ("plan", "PATTERN")
LIMIT_S = 30.0
"""A second or two for each; a busy machine takes several times that."""

EXERCISE = Exercise(
    id="8.5.3",
    title="Optimise the tree for a workload",
    notebook="ex3_workload_plan",
    items=(
        Item(
            "hits",
            8,
            f"On hidden workloads of PATTERN the plan goes {TARGET} of the way from order of "
            f"arrival to the best known plan, in tokens found.",
            check_hits,
            (
                "When is a prefix lost that somebody will ask for again? What came in between?",
                "Two things keep it: whoever shares it comes next, and whoever shares nothing "
                "leaves nothing behind. Windows of max_wait + 1 requests, each sorted, are a "
                "start; a window that moves by one request at a time does much better.",
                "Keep those that wait in order of arrival. If the first has waited max_wait "
                "places, it goes; else serve, of the next hundred or so, whoever shares most with "
                "the last one served. Then register of each request what one of the next thirty "
                "in your order begins with as well, and no more.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "growth",
            4,
            f"The tokens that plan() compares and hashes grow with the number of requests by a "
            f"slope of at most {MOST_SLOPE}, from {SIZES[0]:,} to {SIZES[1]:,} of them.",
            check_growth,
            (
                "Do you compare every request with every other?",
                "A dictionary finds all that begin alike without comparing them. And how far "
                "ahead does it pay to look for the next request?",
                "Number the prefixes: numbers.setdefault((number above, the next 8 tokens), "
                "len(numbers)). From then on compare numbers, and look at no more than a few times "
                "max_wait requests for each place.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "memory",
            2,
            "When all requests are served, no pin holds a block any more.",
            check_memory,
            (
                "When does your pin end?",
                "`until` is a place of the order, and the order has an end.",
                "until = the place after the last request that begins with the pin's tokens; never "
                "more than len(order).",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "regression",
            3,
            f"On each of the other patterns the plan loses at most {MOST_LOST:.0%} of the prompt "
            f"tokens against order of arrival.",
            check_regression,
            (
                "Which of your numbers did you find by trying them on one pattern?",
                "What is fixed in tokens suits one pattern and ruins another. The workload has all "
                "that is needed to compute it: max_wait, pool_tokens, the requests.",
                "Never cut insertion at a constant; compute it for each request from those that "
                "follow. Try all four patterns with try_plan.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "hot-spot",
            3,
            f"On every pattern, hot_spot saves at least {NEAR:.0%} of what the best prefix saves, "
            f"its tokens times the requests that find them, as a cache counts that evicts nothing.",
            check_hot_spot,
            (
                "A long prefix that two share, or a short one that all share?",
                "Neither the longest nor the most frequent: the product counts.",
                "For every numbered prefix: its tokens * (how many requests have it - 1); the "
                "first of them computes it. Name the one with the largest product.",
            ),
            NEEDS,
            LIMIT_S,
        ),
    ),
)
