"""Looking up many prompts at once: a shared path is walked once.

In every step, a scheduler asks how much of each waiting request is cached. Requests about one
document all follow the same path. So prompts that start with the same block form a group, whose
first prompt is the *guide*: only the guide walks from node to node. Each other prompt is compared
with everything that the guide found, in one memory comparison, regardless of the number of nodes. A
prompt that leaves the guide's path continues from the last node that both passed, together with the
other prompts that left there.

Tokens are always compared, so the results equal single look-ups exactly. Nothing is split, stamped
or counted. This file knows prompts and nodes. It does not know the scheduler.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Sequence as Many
from typing import Any, TypeVar

from radixlab.cache.checks import check_count, check_namespace
from radixlab.cache.errors import CacheError, NamespaceError, TokenError
from radixlab.cache.found import Found
from radixlab.cache.results import BlockIds
from radixlab.cache.tokens import Tokens, TokensLike, as_tokens
from radixlab.cache.tree import RadixTree
from radixlab.config import ConfigError, Count, shown
from radixlab.escape import count
from radixlab.events import Namespace

Item = TypeVar("Item")
Group = tuple[Found, list[int]]
"""A point in the tree, and the prompts that agree up to it."""
ANY_BYTE = range(256)
"""All bytes with which a block can begin, if nothing is known about it."""


def match_batch(
    tree: RadixTree | Any,
    prompts: Many[TokensLike] | Any,
    namespaces: Many[Namespace | None] | Any = None,
    spare_tokens: Count = 0,
) -> list[Found]:
    """Find the longest cached prefix of each prompt, in whole blocks; results keep the order (S8).

    The results equal those of `tree.find` for each prompt. Prompts that end at the same point may
    share one result, so results must not be changed. The last `spare_tokens` tokens of each prompt
    are not looked up, because `allocate` leaves one to compute. Raises `TokenError` or
    `NamespaceError` with the prompt's index in the batch.

    >>> import numpy as np
    >>> tree = RadixTree(block_size=2)
    >>> _ = tree.insert([1, 2, 3, 4], np.array([10, 11], np.int32))
    >>> [found.num_blocks for found in match_batch(tree, [[1, 2, 3, 4], [9], [1, 2, 5, 6]])]
    [2, 0, 1]
    """
    spare_tokens = check_count("spare_tokens", spare_tokens, 0)
    if not isinstance(tree, RadixTree):
        raise ConfigError(f"tree must be a RadixTree, not {shown(tree)}")
    if not isinstance(prompts, list | tuple):
        prompts = _listed(prompts, "prompts", TokenError)
    batch = _Batch(tree, _as_tokens(prompts), spare_tokens)
    for namespace, places in _by_namespace(len(prompts), namespaces).items():
        batch.walk(places, namespace)
    return batch.found


def peek_batch(
    tree: RadixTree,
    prompts: Many[TokensLike],
    namespaces: Many[Namespace | None] | None = None,
) -> list[BlockIds]:
    """Do the same as `tree.peek` for each prompt: return its cached device blocks, int32 `[n]`.

    Prompts with the same result may share an array, so all arrays are read-only.
    """
    found = match_batch(tree, prompts, namespaces)
    results = {id(one): one for one in found}
    ids = {key: _read_only(one.on_device().block_ids) for key, one in results.items()}
    return [ids[id(one)] for one in found]


def _read_only(block_ids: BlockIds) -> BlockIds:
    block_ids.flags.writeable = False
    return block_ids


class _Batch:
    """The prompts, by index in the batch, and the result of each."""

    def __init__(self, tree: RadixTree, prompts: list[Tokens], spare_tokens: int) -> None:
        self._tree = tree
        self._prompts = prompts
        size, step = tree.block_size, tree.block_bytes
        self._stops = [(prompt.num_tokens - spare_tokens) // size * step for prompt in prompts]
        """Bytes of each prompt to look up; negative if it is shorter than `spare_tokens`."""
        self.found: list[Found] = [None] * len(prompts)  # type: ignore[list-item]  # until walked

    def walk(self, places: list[int], namespace: Namespace | None) -> None:
        """Look up these prompts, which share one namespace."""
        todo: list[Group] = [(self._tree.find(self._prompts[places[0]], 0, namespace), places)]
        while todo:
            start, group = todo.pop()
            for followers in self._by_next_block(start, group):
                if len(followers) == 1:
                    self._find(followers[0], start)
                else:
                    todo += self._follow(start, followers)

    def _by_next_block(self, start: Found, group: list[int]) -> Many[list[int]]:
        """Group the prompts that continue below `start.node`; the others end at `start`."""
        step, prompts, stops, found = self._tree.block_bytes, self._prompts, self._stops, self.found
        position, end = start.num_blocks * step, (start.num_blocks + 1) * step
        by_block: dict[bytes, list[int]] = {}
        for place in group:
            if stops[place] < end:
                found[place] = start
                continue
            block = prompts[place].view[position:end].tobytes()
            if block in by_block:
                by_block[block].append(place)
            else:
                by_block[block] = [place]
        for block in by_block.keys() - start.node.children.keys():
            for place in by_block.pop(block):
                found[place] = start
        return list(by_block.values())

    def _follow(self, start: Found, group: list[int]) -> Iterator[Group]:
        """Let the first prompt guide from `start` on; yield the groups that leave its path."""
        guide, *others = group
        result = self._find(guide, start)
        path = _Path(start, result, self._prompts[guide].view, self._tree.block_bytes)
        leaving = self._leave(path, self._compare(path, others))
        for num_nodes, places in leaving.items():
            yield path.place(num_nodes), places

    def _compare(self, path: "_Path", group: list[int]) -> list[int]:
        """Give the guide's result to all prompts that agree with it; return the others."""
        prompts, stops, found, others = self._prompts, self._stops, self.found, []
        whole, result, following = path.whole, path.result, path.following
        first, last, end = path.first, path.last, path.last + self._tree.block_bytes
        # For most prompts, the first byte of the next block shows that they end here.
        few = len(following) <= len(group)
        first_bytes = {block[0] for block in following} if few else ANY_BYTE
        for place in group:
            prompt, stop = prompts[place], stops[place]
            if stop < last or not prompt.data.startswith(whole, first):
                others.append(place)
            elif (
                stop < end
                or prompt.data[last] not in first_bytes
                or prompt.view[last:end].tobytes() not in following
            ):
                found[place] = result
            else:
                others.append(place)
        return others

    def _leave(self, path: "_Path", group: list[int]) -> dict[int, list[int]]:
        """Group prompts by the node at which they leave a path; inside an edge, walk each alone."""
        leaving: dict[int, list[int]] = {}
        for place in group:
            data, stop = self._prompts[place].data, self._stops[place]
            num_nodes = path.num_agreed(data, stop)
            if path.is_inside_edge(num_nodes, data, stop):
                self._find(place, path.place(num_nodes))
            else:
                leaving.setdefault(num_nodes, []).append(place)
        return leaving

    def _find(self, place: int, start: Found) -> Found:
        """Continue the walk of one prompt from `start.node`."""
        max_blocks = self._stops[place] // self._tree.block_bytes
        node = start.node
        found = self._tree.find(self._prompts[place], max_blocks, node.namespace, node)
        if start.runs:
            found.runs[:0] = start.runs
        self.found[place] = found
        return found


class _Path:
    """The guide's findings below `start`: whole nodes, then perhaps the first blocks of another."""

    def __init__(self, start: Found, result: Found, view: memoryview, step: int) -> None:
        self.start, self.result, self._view, self._step = start, result, view, step
        num_nodes = len(result.runs) - len(start.runs) - bool(result.child)
        self._nodes = result.node.path()[:num_nodes][::-1]
        self.first, self.last = start.num_blocks * step, result.num_blocks * step
        self._ends = [node.end * step for node in self._nodes]
        self.whole = view[self.first : self.last]
        self.following: Collection[bytes] = result.node.children
        """The next blocks of a prompt that agrees so far."""
        if result.child:
            cut = result.child_blocks * step
            self.following = (bytes(result.child.edge[cut : cut + step]),)

    def num_agreed(self, data: bytearray, stop: int) -> int:
        """Count the leading nodes with which a prompt agrees wholly.

        A binary search compares only the last block of a node; one comparison of all bytes confirms
        the result. If that fails, the answer is 0, which is always valid.
        """
        low, high = 0, bisect_right(self._ends, stop)
        while low < high:
            middle = (low + high + 1) // 2
            end = self._ends[middle - 1]
            if data.startswith(self._view[end - self._step : end], end - self._step):
                low = middle
            else:
                high = middle - 1
        agrees = low and data.startswith(self._view[self.first : self._ends[low - 1]], self.first)
        return low if agrees else 0

    def is_inside_edge(self, num_nodes: int, data: bytearray, stop: int) -> bool:
        """Whether a prompt that agrees with exactly these nodes leaves the path inside an edge."""
        if num_nodes == 0:  # the group has a first block in common
            return True
        end = self._ends[num_nodes - 1]
        return stop > end and data.startswith(self._view[end : end + self._step], end)

    def place(self, num_nodes: int) -> Found:
        """Return the point at the end of the first `num_nodes` nodes."""
        if num_nodes == 0:
            return self.start
        node = self._nodes[num_nodes - 1]
        runs = self.result.runs[: len(self.start.runs) + num_nodes]
        return Found(node, None, 0, node.end, runs, self.result.version)


def _listed(values: Iterable[Item], name: str, error: type[CacheError]) -> list[Item]:
    """Convert an iterable to a list."""
    try:
        return list(values)
    except TypeError:
        raise error(f"{name} must be a list, not {shown(values)}") from None


def _as_tokens(prompts: Many[TokensLike]) -> list[Tokens]:
    """Convert prompts; an error names the prompt that cannot be converted."""
    tokens: list[Tokens] = []
    try:
        for prompt in prompts:
            tokens.append(as_tokens(prompt))
    except TokenError as error:
        raise TokenError(f"prompt {len(tokens)}: {error}") from None
    return tokens


def _by_namespace(
    num_prompts: int, namespaces: Many[Namespace | None] | None
) -> dict[Namespace | None, list[int]]:
    """Return the indices of the prompts in each namespace."""
    if namespaces is None:
        return {None: list(range(num_prompts))} if num_prompts else {}
    if not isinstance(namespaces, list | tuple):
        namespaces = _listed(namespaces, "namespaces", NamespaceError)
    if len(namespaces) != num_prompts:
        raise NamespaceError(
            f"{count(len(namespaces), 'namespace')} for {count(num_prompts, 'prompt')}"
        )
    places: dict[Namespace | None, list[int]] = {}
    for place, namespace in enumerate(namespaces):
        try:
            check_namespace(namespace)
        except NamespaceError as error:
            raise NamespaceError(f"prompt {place}: {error}") from None
        places.setdefault(namespace, []).append(place)
    return places
