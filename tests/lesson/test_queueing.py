"""The queue of lesson 07: what an order is worth, and whom it starves."""

import pytest

from radixlab.cache import RadixTree
from radixlab.lesson.queueing import CountingTree, hit_tokens, passes_of_a_cold_request, questions
from radixlab.sched import depth_first_weight, first_come, longest_prefix_first, with_ageing

TOKENS = 640


@pytest.mark.parametrize("order", [longest_prefix_first, depth_first_weight])
def test_a_cache_aware_order_computes_each_document_once(order):
    prompts = questions(num_documents=4, per_document=5)
    assert hit_tokens(order, prompts, num_blocks=84) == 4 * (5 - 1) * TOKENS


def test_first_come_computes_documents_again_and_again():
    prompts = questions(num_documents=4, per_document=5)
    assert hit_tokens(first_come, prompts, num_blocks=84) < 4 * 4 * TOKENS


def test_ageing_ends_starvation_after_as_many_passes_as_said():
    "S3"
    assert passes_of_a_cold_request(longest_prefix_first, max_rounds=60) is None
    for most in (1, 10):
        assert passes_of_a_cold_request(with_ageing(longest_prefix_first, most)) == most


def test_walks_are_counted_while_it_lasts():
    tree = RadixTree(4)
    with CountingTree(tree) as count:
        tree.peek([1, 2, 3, 4])
    tree.peek([1, 2, 3, 4])
    assert count.num_walks == 1
