"""Whose tokens are computed next: the rules of scheduling, over an engine that counts.

Prompts are drawn as in the tests of the cache: a letter is a block of 4 tokens, a dot one token.
"""

import pytest

from radixlab.cache import PolicyError
from radixlab.config import ConfigError, SchedulerConfig
from radixlab.sched import ORDERS, OrderError, RequestError, RequestTooLargeError, first_come
from tests.cache.helpers import refused, text
from tests.sched.helpers import Served

EACH_ORDER = pytest.mark.parametrize("order", ORDERS)


# ---- who goes next


def test_the_longest_cached_prefix_is_admitted_first():
    "S1"
    served = Served(max_running=1)
    served.serve("ab", "xyz")
    asked = [served.ask(prompt).id for prompt in ("q.", "ab.", "xyz.", "xyq.")]
    served.run()
    assert served.finished[-4:] == [asked[i] for i in (2, 1, 3, 0)]


def test_a_branch_of_the_tree_is_served_in_one_stretch():
    "S4: the branch with most waiting requests first, whoever shares nothing last"
    served = Served(order="depth-first-weight")
    served.serve("abc", "x")
    asked = [served.ask(prompt) for prompt in ("q.", "abc.", "x.", "x..", "abc..", "abd.")]
    admitted = served.engine.scheduler.schedule().admitted
    assert admitted == [asked[i] for i in (1, 4, 5, 2, 3, 0)]


def test_the_look_up_behind_an_order_changes_nothing():
    "S8: only who is admitted is a request to the cache; nothing is cut or stamped for the others"
    served = Served(max_running=1)
    served.serve("abcd")
    served.ask(".", max_tokens=4)
    served.step()
    before = served.manager.tick, list(served.manager.tree.walk())
    for prompt in ("abx", "a.", "abcd."):
        served.ask(prompt)
    served.step(2)
    assert (served.manager.tick, list(served.manager.tree.walk())) == before


@pytest.mark.parametrize("order", ["longest-prefix", "depth-first-weight"])
@pytest.mark.parametrize("max_passes", [1, 4])
def test_a_cold_request_is_served_within_k_passes_of_endless_hot_traffic(order, max_passes):
    "S3 (SGLang 31954)"
    served = Served(order=order, max_running=2, max_passes=max_passes)
    served.serve("hot")
    cold = served.ask("cold")
    for i in range(4 * (max_passes + 3)):
        served.ask(f"hot{i}")
        served.ask(f"hot{i}.")
        served.step()
    assert cold.finish_reason == "length"
    assert cold.num_passes == max_passes


def test_whoever_is_first_of_all_that_wait_is_passed_by_nobody():
    "S3: a pass is a step in which one that came later is admitted; hot ones before it do not count"
    served = Served(max_running=1, max_passes=3)
    served.serve("hot")
    for i in range(9):
        served.ask(f"hot{i}")
    cold = served.ask("cold")
    served.run()
    assert cold.num_passes == 0
    assert served.finished[-1] == cold.id


# ---- computed once


def test_equal_prompts_that_come_together_are_computed_once():
    "S2: the rest wait for the first one's commit, and hit in the next step"
    served = Served()
    asked = [served.ask("abcd.") for _ in range(5)]
    served.step()
    assert served.runner.num_computed_tokens == 17
    served.step()
    assert served.runner.num_computed_tokens == 17 + 4
    assert [request.num_cached_tokens for request in asked] == [0, 16, 16, 16, 16]
    assert not served.engine.has_work


@EACH_ORDER
def test_a_prefix_in_many_pieces_is_computed_once(order):
    "S2: while a long prompt is computed step by step, those that share it wait"
    served = Served(order=order, max_running=8, max_batch_tokens=10)
    asked = [served.ask(f"abcdef{last}") for last in "xyz"]
    served.run()
    assert [request.num_cached_tokens for request in asked] == [0, 24, 24]
    assert served.runner.num_computed_tokens == 28 + 4 + 4


def test_only_what_is_shared_is_waited_for():
    "S2: one block in common is there after the first piece; the rest of that prompt is no concern"
    served = Served(max_running=8, max_batch_tokens=8)
    long, other = served.ask("abcdefgh"), served.ask("axy")
    served.step(2)
    assert other.sequence is None
    served.run()
    assert other.num_cached_tokens == 4
    assert served.finished == [long.id, other.id]


def test_others_go_on_while_a_duplicate_waits():
    "S2: it holds nobody up"
    served = Served()
    for prompt in ("ab.", "ab.", "xy."):
        served.ask(prompt)
    served.step()
    assert served.finished == [0, 2]


def test_two_tenants_do_not_wait_for_each_other():
    "S2 K1: equal prompts of two namespaces share nothing"
    served = Served()
    served.ask("ab.", namespace=("salt", "x"))
    served.ask("ab.", namespace=("salt", "y"))
    served.step()
    assert served.finished == [0, 1]


def test_a_duplicate_whose_first_is_aborted_computes_itself():
    "S2: nothing was committed, so there is nothing to wait for"
    served = Served(max_running=8, max_batch_tokens=8)
    first, second = served.ask("abcdef."), served.ask("abcdef.")
    served.step()
    served.abort(first)
    served.run()
    assert second.output == served.answer(second)
    assert second.num_cached_tokens == 8


# ---- the budget


def test_the_budget_counts_what_is_left_after_the_match():
    "S7 (nano-vllm 211, 233): two prompts of 17 tokens, 16 of them cached, fit a budget of 8"
    served = Served(max_running=8, max_batch_tokens=8)
    served.serve("abcd")
    served.ask("abcd.")
    served.ask("abcd.")
    assert len(served.step()) == 2


def test_a_long_prompt_is_computed_in_pieces_beside_those_that_generate():
    served = Served(max_running=4, max_batch_tokens=8)
    short = served.ask(".", max_tokens=20)
    served.step()
    long = served.ask("abcdef")
    for computed in (7, 14, 21):
        assert [token.request_id for token in served.step()] == [short.id]
        assert long.num_computed == computed
    served.run()
    assert long.output == served.answer(long)


def test_no_step_computes_more_than_the_budget():
    served = Served(max_running=4, max_batch_tokens=6)
    for prompt in ("ab", "abc", "x..", "abcd", "y"):
        served.ask(prompt, max_tokens=5)
    computed = [0]
    while served.engine.has_work:
        served.step()
        computed.append(served.runner.num_computed_tokens)
        assert 0 < computed[-1] - computed[-2] <= 6


# ---- room


def test_when_blocks_run_out_the_youngest_is_preempted_and_comes_back():
    "S5: the pool holds one of them to its end, and both are answered"
    served = Served(6, watermark_blocks=0)
    old, young = served.ask("ab", max_tokens=12), served.ask("xy", max_tokens=12)
    served.run()
    assert served.engine.stats().num_preemptions == young.num_preemptions > 0
    assert served.finished == [old.id, young.id]
    assert [old.output, young.output] == [served.answer(old), served.answer(young)]
    served.verify_idle()


def test_what_a_preempted_request_finds_of_itself_is_no_hit():
    "S6: it goes on over its own blocks, and its prompt counts as it was first found"
    served = Served(8, watermark_blocks=0)
    served.ask("ab", max_tokens=16)
    young = served.ask("xy", max_tokens=16)
    served.run()
    assert young.num_preemptions > 0
    assert young.num_cached_tokens == 0
    stats = served.engine.stats()
    assert (stats.prompt_tokens, stats.cached_tokens) == (16, 0)
    assert stats.cache.hit_tokens > 0  # the cache itself counts every look-up
    assert stats.cache.token_hit_rate == 0  # but its rate leaves out who came back
    assert served.state.resumed_hit_tokens == stats.cache.resumed_hit_tokens > 0


def test_a_preempted_request_computes_only_what_is_gone_of_it():
    "S6"
    served = Served(8, watermark_blocks=0)
    requests = [served.ask("ab", max_tokens=16), served.ask("xy", max_tokens=16)]
    served.run()
    once = sum(request.num_tokens - 1 for request in requests)
    assert once < served.runner.num_computed_tokens < once + requests[1].num_tokens


def test_a_preempted_request_is_passed_by_nobody():
    "S5: it is first in the queue, whatever the others find"
    served = Served(8, watermark_blocks=0, max_running=8)
    old, young = served.ask("abc", max_tokens=16), served.ask("xyz", max_tokens=6)
    served.until(lambda: young.num_preemptions > 0)
    late = served.ask("abc.")
    served.run()
    assert served.finished == [old.id, young.id, late.id]


def test_whoever_runs_keeps_room_to_grow_into():
    "An admission leaves `watermark_blocks` for each that runs"
    served = Served(8, watermark_blocks=2)
    served.ask("ab", max_tokens=9)
    served.step()
    big = served.ask("wxyz.")
    served.step()
    assert big.sequence is None  # 5 of the 5 or 6 blocks left
    small = served.ask("x.")
    served.step()
    assert small.sequence is None  # nobody overtakes by size
    served.run()
    assert served.engine.stats().num_preemptions == 0


@EACH_ORDER
def test_whoever_fits_alone_is_admitted_some_time(order):
    "S5: endless small requests, and one that needs the whole pool"
    served = Served(8, order=order, max_passes=3, max_running=8)
    served.ask("a.", max_tokens=6)
    served.step()
    big = served.ask("stuvwxy", max_tokens=5)
    for i in range(40):
        served.ask(f"a{i}", max_tokens=6)
        served.step()
    assert big.output == served.answer(big)
    served.run()
    served.verify_idle()


@pytest.mark.parametrize("num_host_blocks", [0, 6])
def test_one_that_needs_the_whole_pool_is_served_alone(num_host_blocks):
    "S5: to its last token, whose KV nobody needs"
    served = Served(4, num_host_blocks=num_host_blocks)
    served.serve("xyz")
    request = served.ask("abc", max_tokens=5)
    served.run()
    assert request.output == served.answer(request)
    served.verify_idle()


def test_whoever_never_fits_is_rejected_alone():
    "S5: with a typed error that names the numbers; the others are served"
    served = Served(4)
    first = served.ask("ab", max_tokens=3)
    with refused(RequestTooLargeError, 17, "4 blocks of 4"):
        served.ask("abcd.", max_tokens=1)
    second = served.ask("abcd", max_tokens=1)
    served.run()
    assert [first.finish_reason, second.finish_reason] == ["length", "length"]


@pytest.mark.parametrize(("prompt", "room"), [("a", 13), ("abc", 5), ("abc...", 2), ("abcd", 1)])
def test_max_tokens_is_a_limit_and_the_pool_may_end_the_answer_before(prompt, room):
    "S5 (vLLM cuts at the context): the request says so, and its forks do"
    for asked in (room, room + 1, 10**9):
        served = Served(4)
        request = served.ask(prompt, max_tokens=asked)
        fork = served.engine.fork_request(request, sampler=1)
        assert request.is_cut is fork.is_cut is (asked > room)
        served.run()
        assert [len(r.output) for r in (request, fork)] == [room, room]
        assert (request.output, fork.finish_reason) == (served.answer(request), "length")
        served.verify_idle()


def test_pins_give_way_to_one_that_needs_their_blocks():
    "S5: also where it runs out of blocks while it generates"
    served = Served(8, watermark_blocks=0, pin_budget_blocks=2)
    served.serve("pq")
    served.manager.pin(text("pq"), ttl_ticks=99)
    request = served.ask("abcde", max_tokens=13)
    served.run()
    assert request.output == served.answer(request)


# ---- forks


def test_forks_compute_the_prompt_once_and_each_answers():
    "C1 C2: they begin over the same blocks; all write in one step, so each copies the last block"
    served = Served()
    request = served.ask("abc..", max_tokens=6)
    forks = [served.engine.fork_request(request, sampler) for sampler in (1, 2, 3)]
    served.step()
    assert served.runner.num_computed_tokens == 14
    assert served.manager.stats().num_shared_blocks == 4
    served.step()
    assert served.manager.stats().copied_blocks == 4
    served.run()
    answers = [each.output for each in (request, *forks)]
    assert answers == [served.answer(each) for each in (request, *forks)]
    assert len(set(map(tuple, answers))) == 4
    assert [each.num_cached_tokens for each in (request, *forks)] == [0, 14, 14, 14]
    served.verify_idle()


def test_forks_are_preempted_one_by_one():
    "S5 C6: four answers where two fit"
    served = Served(7, watermark_blocks=0)
    request = served.ask("abc.", max_tokens=12)
    forks = [served.engine.fork_request(request, sampler) for sampler in (1, 2, 3)]
    served.run()
    assert served.engine.stats().num_preemptions > 0
    assert all(each.output == served.answer(each) for each in (request, *forks))
    served.verify_idle()


@pytest.mark.parametrize("num_steps", [0, 1])
def test_forks_outlive_the_prompt_they_were_to_share(num_steps):
    "C7 L8: it is aborted before its prompt is computed, and so is one of them"
    served = Served(max_running=8, max_batch_tokens=8)
    request = served.ask("abcdef", max_tokens=3)
    gone, fork = (served.engine.fork_request(request) for _ in range(2))
    served.step(num_steps)
    assert served.abort(gone)
    assert served.abort(request)
    served.run()
    assert (fork.output, fork.finish_reason) == (served.answer(fork), "length")
    served.verify_idle()


def test_only_a_prompt_to_be_computed_can_be_forked():
    served = Served()
    request = served.ask("ab", max_tokens=3)
    served.step()
    with refused(RequestError, "Request(0"):
        served.engine.fork_request(request)


# ---- life and settings


@pytest.mark.parametrize("num_steps", [0, 1, 4, 6])
def test_an_abort_in_any_state_gives_everything_back(num_steps):
    "L8: waiting, amid its prompt, generating; a second abort finds nobody"
    served = Served(max_running=4, max_batch_tokens=6)
    request = served.ask("abcde", max_tokens=4)
    served.step(num_steps)
    assert served.abort(request)
    assert request.finish_reason == "abort"
    assert not served.abort(request)
    served.verify_idle()


def test_an_abort_of_a_preempted_request_takes_it_out_of_the_queue():
    "L8"
    served = Served(6, watermark_blocks=0)
    served.ask("ab", max_tokens=12)
    young = served.ask("xy", max_tokens=12)
    served.until(lambda: young.num_preemptions > 0)
    assert served.abort(young)
    served.run()
    served.verify_idle()


def test_nothing_is_matchable_before_it_is_computed():
    "T1 (vLLM 43569): between schedule and update there is nothing to find"
    served = Served()
    request = served.ask("abc.")
    served.engine.scheduler.schedule()
    assert len(served.manager.peek(text("abc"))) == 0
    served.abort(request)
    assert len(served.manager.peek(text("abc"))) == 0
    served.verify_idle()


def test_only_the_front_of_a_long_queue_is_looked_up():
    served = Served(max_lookups=2, max_running=1)
    served.serve("hot")
    asked = [served.ask(prompt).id for prompt in ("x.", "y.", "hot.")]
    served.run()
    assert served.finished[-3:] == [asked[0], asked[2], asked[1]]


def test_an_order_that_is_not_there_is_refused():
    with refused(OrderError, "'fastest'", "fcfs"):
        Served(order="fastest")


def test_an_order_that_loses_a_request_is_told_so(monkeypatch):
    monkeypatch.setitem(ORDERS, "lossy", lambda waiting: first_come(waiting)[1:])
    served = Served(order="lossy")
    served.ask("ab")
    served.ask("xy")
    with refused(OrderError, "'lossy'", "1 request", 2):
        served.step()
    served.verify()


def test_a_budget_below_a_token_for_each_is_refused():
    with refused(ConfigError, 8, 9):
        SchedulerConfig(max_running=9, max_batch_tokens=8)


def test_a_policy_that_fails_leaves_the_request_waiting(monkeypatch):
    "The step of a learner's broken policy raises, and nothing is lost"
    served = Served(4)
    served.serve("abc")
    request = served.ask("xyz")
    with monkeypatch.context() as patch, pytest.raises(PolicyError, match="no victim"):
        patch.setattr(served.manager.tree.policy, "victim", lambda: None)
        served.engine.step()
    served.verify()
    assert request.sequence is None
    served.run()
    assert request.output == served.answer(request)
