"""Exercise 8.5.2 as a list of rules, points and hints."""

from radixlab.exercise.cow import MIN_SAMPLES, WARM_UP_CALLS
from radixlab.grade.ex2.audit import audit, counts, eager, real
from radixlab.grade.ex2.figures import concluded, report
from radixlab.grade.ex2.play import everywhere
from radixlab.grade.items import Exercise, Item

EITHER: tuple[str, ...] = ()
"""The first part needs `take_samples` or `benchmark`; `play` says so where both are missing."""

EXERCISE = Exercise(
    id="8.5.2",
    title="Benchmark copy-on-write overhead",
    notebook="ex2_cow_benchmark",
    items=(
        Item(
            "audit",
            4,
            "Every combination is measured; every sample of both kinds times one warm call, from "
            "sync to sync, by the clock that was given, and no sample is left out.",
            everywhere(audit),
            (
                "Four things spoil a time: a cold manager, work that is still queued, figures "
                "that were improved, and measuring something that was not asked for.",
                "A cold call must not be a sample at all; an interrupted call must be one, since "
                "the median does not mind it. And a call that returns is not a call that is done.",
                f"Per manager: {WARM_UP_CALLS} calls first that are not samples. Per sample: sync, "
                "start_s = clock(), call, sync, seconds = clock() - start_s. Keep all of them.",
            ),
            EITHER,
        ),
        Item(
            "counts",
            3,
            "Every sample of copy-on-write times the one call that its phase names, in a "
            "group as prescribed, and holds the blocks and bytes that this call copied, whatever "
            "the prompt.",
            everywhere(counts),
            (
                "Which call pays for a fork with copy-on-write? And does every branch pay?",
                "Do not work the copies out: each call returns those it made. The branch that "
                "writes last may find nobody to share with any more.",
                'Time append, not fork, for "first" and "last"; copies = len(what append '
                "returned); bytes = copies * manager.block_bytes. Write to a second fresh sequence "
                'for "unshared", and never fork that one.',
            ),
            EITHER,
        ),
        Item(
            "eager",
            3,
            'Managers of kind "eager" are measured with the same calls, and as often, and their '
            "samples hold the copies that their forks make.",
            everywhere(eager),
            (
                "When does the eager manager pay?",
                "Run the same function for both kinds; it should not know which kind it measures.",
                'for kind in KINDS: take the group with make_manager(kind, size); time "fork" as '
                "well, and count the copies it returns.",
            ),
            EITHER,
        ),
        Item(
            "report",
            2,
            f"n (at least {MIN_SAMPLES}), median and quartiles of every cell follow from the "
            "samples, which were taken in rounds and are listed in that order.",
            everywhere(report),
            (
                "If the machine became slower half-way, which of your cells would suffer?",
                "Make the round the outer loop: each visits every kind, block size and number of "
                "forks once. Summarise at the end, by Sample.cell.",
                "for _ in range(ROUNDS): for kind …: for size …: for num in forks: take one group. "
                "quantiles(seconds, n=4) gives (first quartile, median, third quartile).",
            ),
            ("benchmark",),
        ),
        Item(
            "conclusions",
            2,
            "For every block size and number of forks, the four conclusions follow from the "
            "samples by the definitions in Conclusion.",
            everywhere(concluded),
            (
                "Write each definition down as one line of code, and no other arithmetic.",
                "What a copy adds is a difference of two medians, not one of them. The share "
                "counts blocks, over all samples of this block size and number of forks.",
                "copy_s = m(cow, first) - m(cow, unshared), None if no first write copied; "
                "break_even_blocks = (m(eager, fork) - m(cow, fork)) / copy_s.",
            ),
            ("benchmark",),
        ),
        Item(
            "real",
            1,
            "It runs on the real engine as well, whose pool is finite: every group is released "
            "before the next one of its manager.",
            everywhere(real, is_real=True),
            (
                "A pool that is not refilled runs dry.",
                "The real pool has room for two groups of the largest number of forks.",
                "Release every sequence of a group, its first one too, before the next begins.",
            ),
            EITHER,
        ),
    ),
)
