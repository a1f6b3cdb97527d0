"""The queue of lesson 07: what an order is worth, and whom it starves."""

import pytest

from radixlab.cache import RadixTree
from radixlab.lesson.props.queueing import (
    CountingTree,
    passes_of_a_cold_request,
    questions,
    serve_all,
    uneven_questions,
)
from radixlab.sched import depth_first_weight, first_come, longest_prefix_first, with_ageing

TOKENS = 640
AWARE = [longest_prefix_first, depth_first_weight]


@pytest.mark.parametrize("order", AWARE)
def test_a_cache_aware_order_computes_each_document_once(order):
    prompts = questions(num_documents=4, per_document=5)
    assert serve_all(order, prompts, num_blocks=84).hit_tokens == 4 * (5 - 1) * TOKENS


def test_first_come_computes_documents_again_and_again():
    prompts = questions(num_documents=4, per_document=5)
    served = serve_all(first_come, prompts, num_blocks=84)
    assert served.hit_tokens < 4 * 4 * TOKENS and served.most_passes == 0


@pytest.mark.parametrize("num_waiting", [None, 1, 2, 7, 40])
@pytest.mark.parametrize("order", [first_come, *AWARE])
def test_every_prompt_is_served_whatever_waits_at_once(order, num_waiting):
    prompts = uneven_questions([320, 160, 80], 20)
    served = serve_all(order, prompts, 30, num_waiting)
    assert served.prompt_tokens == sum(map(len, prompts))
    if num_waiting == 1:  # nothing to choose from
        assert served.hit_tokens == serve_all(first_come, prompts, 30).hit_tokens
        assert served.num_shorter == served.most_passes == 0


@pytest.mark.parametrize("documents", [2, 4, 8])
@pytest.mark.parametrize("order", AWARE)
def test_ageing_bounds_the_passes_and_costs_hits(order, documents):
    prompts = questions(documents, 6, tokens=160)
    shares = []
    for most in (1, 2, 4, 8, 16):
        served = serve_all(with_ageing(order, most), prompts, num_blocks=12)
        assert served.most_passes <= most
        shares.append(served.share)
    assert shares[0] < shares[-1] <= serve_all(order, prompts, num_blocks=12).share


def test_the_aware_orders_differ_where_a_long_document_is_popular_and_the_pool_is_small():
    prompts = uneven_questions(range(1280, 0, -160), 200)
    longest, weight = (serve_all(order, prompts, 98, 32) for order in AWARE)
    assert longest.num_shorter == 0 < weight.num_shorter
    assert longest.hit_tokens > weight.hit_tokens


def test_ageing_ends_starvation_after_as_many_passes_as_said():
    "S3"
    assert passes_of_a_cold_request(longest_prefix_first, max_rounds=60) is None
    for most in (1, 10):
        assert passes_of_a_cold_request(with_ageing(longest_prefix_first, most)) == most


def test_walks_are_counted_while_it_lasts():
    tree = RadixTree(4)
    with CountingTree(tree) as count:
        tree.peek([1, 2, 3, 4])
        tree.peek([1, 2, 3])  # no whole block: only the root is found
    tree.peek([1, 2, 3, 4])
    assert count.num_walks == 1
