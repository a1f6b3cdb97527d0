"""Exercise 8.5.2 as a list of rules, points and hints."""

from radixlab.exercise.cow import MIN_SAMPLES, WARM_UP_CALLS
from radixlab.grade.ex2.audit import check_audit
from radixlab.grade.ex2.conclude import check_conclusions
from radixlab.grade.ex2.counts import check_counts
from radixlab.grade.ex2.figures import check_report
from radixlab.grade.ex2.real import check_real
from radixlab.grade.ex2.rival import check_eager
from radixlab.grade.items import Exercise, Item

NEEDS = ("benchmark",)
LIMIT_S = 15.0
"""Each runs the benchmark two to eight times, about a second in all."""

EXERCISE = Exercise(
    id="8.5.2",
    title="Benchmark copy-on-write overhead",
    notebook="ex2_cow_benchmark",
    items=(
        Item(
            "audit",
            4,
            "On a machine whose costs are known, every median for copy-on-write is within 5 % of "
            "what the timed calls cost, for every block size and number of forks asked for.",
            check_audit,
            (
                "Four things spoil a time: a cold manager, work that is still queued, an "
                "interruption, and measuring something else than you were asked for.",
                "A cold call must not be a sample at all. An interruption may be one, if the "
                "figure you report does not mind it. And a call that returns is not a call that "
                "is done.",
                f"Per manager: {WARM_UP_CALLS} untimed calls first. Per sample: sync, clock, call, "
                "sync, clock. Per cell: statistics.median.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "counts",
            3,
            "Every sample times the one call that its phase names, and holds the blocks and bytes "
            "that this call copied, whatever the prompt.",
            check_counts,
            (
                "Which call pays for a fork with copy-on-write? And does every branch pay?",
                "Do not work the copies out: each call returns those it made. The branch that "
                "writes last may find nobody to share with any more.",
                'Time append, not fork, for "first" and "last"; copies = len(what append '
                "returned); bytes = copies * manager.block_bytes.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "eager",
            3,
            'Managers of kind "eager" are measured by the same calls, as often, and with the '
            "copies that their forks make.",
            check_eager,
            (
                "When does the eager manager pay?",
                "Run the very same function for both kinds; it should not know which it has.",
                'for kind in KINDS: take the group with make_manager(kind, size); time "fork" as '
                "well, and count the copies it returns.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "report",
            2,
            f"n (at least {MIN_SAMPLES}), median and quartiles of every cell follow from the "
            "samples, which were taken in rounds and are listed in that order.",
            check_report,
            (
                "If the machine became slower half-way, which of your cells would suffer?",
                "Make the round the outer loop: each visits every kind, block size and number of "
                "forks once. Summarise at the end, by Sample.cell.",
                "for _ in range(ROUNDS): for kind …: for size …: for num in forks: take one group. "
                "quantiles(seconds, n=4) gives (first quartile, median, third quartile).",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "conclusions",
            2,
            "For every block size and number of forks, the four conclusions follow from your own "
            "samples by the definitions in Conclusion.",
            check_conclusions,
            (
                "Write each definition down as one line of code, and no other arithmetic.",
                "What a copy adds is a difference of two medians, not one of them. The share is of "
                "blocks, over all samples of this block size and number of forks.",
                "copy_s = m(cow, first) - m(cow, unshared), None if no first write copied; "
                "break_even_blocks = (m(eager, fork) - m(cow, fork)) / copy_s.",
            ),
            NEEDS,
            LIMIT_S,
        ),
        Item(
            "real",
            1,
            "It runs on the real engine as well, whose pool is finite, and finds that an eager "
            "fork takes longer there.",
            check_real,
            (
                "A pool that is not refilled runs dry.",
                "The real pool has room for two groups of the largest number of forks.",
                "Release every sequence of a group, its first one too, before the next begins.",
            ),
            NEEDS,
            LIMIT_S,
        ),
    ),
)
