"""Broken schedulers: the same work done again and again, or somebody never served."""

from radixlab.engine import Engine
from radixlab.sched.computing import Computing
from radixlab.sched.order import with_ageing
from radixlab.sched.queue import WaitingQueue
from radixlab.sched.request import Request
from radixlab.sched.scheduler import Batch, Scheduler
from tests.mutants.edits import Edit, breaks


@breaks("S2")
def equal_prompts_do_not_wait_for_each_other():
    """N equal prompts that come together find nothing, and each computes all of it.

    nano-vllm and mini-sglang look at what is cached only.
    """
    return [Edit(Computing.has_more, {"found.num_blocks > num_cached_blocks": "False"})]


@breaks("S2")
def only_prompts_of_earlier_steps_are_waited_for():
    """What was admitted in this very step is not looked at."""
    return [Edit(Scheduler._admit, {"        computing.add(request)\n": ""})]


@breaks("S3")
def nobody_ages():
    """Whoever shares nothing waits as long as others share something.

    SGLang 31954.
    """
    return [
        Edit(
            with_ageing,
            {
                "num_passes >= max_passes": "num_passes < 0",
                "num_passes < max_passes": "arrival >= 0",
            },
        )
    ]


@breaks("S3")
def only_the_first_of_the_queue_ages():
    """The others are passed and nobody counts."""
    return [
        Edit(
            WaitingQueue.count_passes,
            {"request in self._window()": "request in self._window()[:0]"},
        )
    ]


@breaks("S5")
def the_oldest_is_preempted():
    """Each of two that do not fit together takes the other's blocks, and both begin again."""
    return [Edit(Scheduler._give_slots, {"self.running[-1]": "self.running[0]"})]


@breaks("S5")
def the_small_overtake_the_large():
    """Whoever does not fit now is skipped, and never fits: the next ones take what gets free."""
    return [
        Edit(
            Scheduler._admit,
            {"if not self._start(request, match):\n            break": (
                "if not self._start(request, match):\n            continue"
            )},
        )
    ]  # fmt: skip


@breaks("S5")
def whoever_never_fits_waits_for_ever():
    """A prompt larger than the pool is taken in, stands in front, and nobody is served any more.

    vLLM 45387, mistral.rs 2043.
    """
    return [
        Edit(
            Engine._check_size,
            {"num_tokens - 1 > cache.num_blocks * cache.block_size": "False"},
        )
    ]


@breaks("S6")
def a_preempted_request_hits_itself():
    """What it finds of itself when it comes back counts as found in the cache."""
    return [Edit(Request.admit, {"if not self.num_preemptions:": "if True:"})]


@breaks("S7")
def the_budget_counts_what_is_cached():
    """A prompt is charged for tokens that nobody computes, and the next one waits for nothing.

    nano-vllm 211 and 233.
    """
    return [
        Edit(
            Batch.add,
            {"-= num": "-= min(start + num, self.budget_tokens)"},
        )
    ]
