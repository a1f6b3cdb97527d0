"""A `KVCacheManager` whose tree is a learner's: looked up, locked and evicted by their code.

    allocate   their `match_prefix` says what is found, their `lock` holds it
    commit     their `insert` says which blocks stay and which come back
    release    their `unlock`
    evict      their `evict`, alone or ruled by a policy

It *is* a manager, so the engine, the live view and `check` take it as one; that is why it is a
subclass. The cache's own tree is the ledger. An answer that contradicts it is noted as a
`PartFault` and told to the listeners, and the cache goes on without the learner's tree: requests
get the answers that they would have had.
"""

from collections.abc import Callable
from typing import Any

from radixlab.cache import CacheConfig, KVCacheManager, check
from radixlab.cache.checks import check_count, check_namespace, check_prompt
from radixlab.cache.eviction import LRU
from radixlab.cache.found import Found
from radixlab.cache.pins import Pin
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.results import Transfer
from radixlab.cache.sequence import Sequence
from radixlab.cache.tokens import TokenArray, TokensLike
from radixlab.config import ConfigError, Count
from radixlab.events import Emit, Namespace, PartBroke
from radixlab.guarded_call import CallFailed, Watch
from radixlab.yours.asked import MakeTree
from radixlab.yours.compare import compare
from radixlab.yours.fault import PartFault
from radixlab.yours.own_trees import Held, OwnTrees
from radixlab.yours.parts import made_policy
from radixlab.yours.ruling import Ruling


class OwnManager(KVCacheManager):
    """A cache with a learner's tree, policy, or both.

    Parameters
    ----------
    policy
        Names the victims: a policy of the engine's kind or of 8.5.4, or what makes one. Without
        one, a learner's tree chooses by itself; without a tree, LRU.
    make_tree
        The learner's class, or any function of the block size; None for the engine's own tree.

    tell
        Gets the text of each fault, where nobody looks at `faults`.

    >>> from radixlab.yours.parts import worked
    >>> cache = OwnManager(CacheConfig(num_blocks=8, block_size=2), make_tree=worked("tree"))
    >>> first = cache.allocate([1, 2, 3, 4, 5])
    >>> cache.commit(first, num_written=5)
    >>> cache.allocate([1, 2, 3, 4, 9]).hit_tokens, cache.fault
    (4, None)
    """

    def __init__(
        self,
        config: CacheConfig,
        emit: Emit | None = None,
        policy: EvictionPolicy | Callable[[], Any] | Any = None,
        *,
        make_tree: MakeTree | None = None,
        watch: Watch | None = None,
        tell: Callable[[str], object] | None = None,
    ) -> None:
        if config.num_host_blocks or config.partial_reuse_tokens:
            what = "num_host_blocks" if config.num_host_blocks else "partial_reuse_tokens"
            raise ConfigError(f"a tree of your own has whole blocks of the device only: no {what}")
        self.most_tokens: int | None = None
        """The most leading tokens that the next commit registers; None for all."""
        self._tell = tell
        self.faults: list[PartFault] = []
        """What the learner's parts did wrong, one fault a part."""
        watch = watch or Watch()
        self.ruling = Ruling(None, watch)
        super().__init__(config, emit, self.ruling)
        self.ruling.on_fault = self._note
        self.own_trees: OwnTrees | None = None
        if policy is not None:
            self._obey(policy, watch)
        elif make_tree is None:
            self.ruling.obey(LRU())
        if make_tree is not None:
            self._plug(make_tree, watch, policy is None)

    @property
    def fault(self) -> PartFault | None:
        """The first fault of a part, or None."""
        return self.faults[0] if self.faults else None

    def proof(self) -> None:
        """Check the cache, and compare the learner's tree with it.

        Raises `InvariantError` for a fault of the engine's; one of the learner's is in `faults`.
        """
        self._settle()
        self.ruling.is_looking = True
        try:
            check(self)
        finally:
            self.ruling.is_looking = False
        if self.own_trees is not None:
            self._ask(compare, self, self.own_trees)

    def _obey(self, policy: Any, watch: Watch) -> None:
        """Make the policy if need be, and let it rule; after a fault, LRU rules."""
        try:
            watch.call(lambda: self.ruling.obey(made_policy(policy)))
        except CallFailed as error:
            self.ruling.drop_policy()
            self._note(PartFault("policy", "E3", "the policy's making", f"it {error}"))

    def _plug(self, make_tree: MakeTree, watch: Watch, chooses: bool) -> None:
        try:
            self.own_trees = OwnTrees(make_tree, self, self.ruling, watch)
        except PartFault as fault:
            self._note(fault)
            return
        if chooses:
            self.ruling.rule_by(self.own_trees.choose)

    def _ask(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """Ask the learner's tree; after a fault, go on without it, and return None."""
        try:
            return ask(*arguments)
        except PartFault as fault:
            self._note(fault)
            return None

    def _note(self, fault: PartFault) -> None:
        """Note a fault, tell the listeners, and do without the part from here on."""
        self.faults.append(fault)
        if self._tell:
            self._tell(str(fault))
        if fault.part == "tree":
            self.own_trees = None
            if self.ruling.policy is None:
                self.ruling.drop_policy()
        if emit := self.log.emit:
            stamp = self.log.stamp()
            emit(PartBroke(*stamp, rule=fault.rule, call=fault.call, what=fault.what))

    def _settle(self) -> None:
        if self.own_trees is not None:
            self._ask(self.own_trees.settle)
        else:
            self.ruling.take_news()

    # ---- the manager's calls

    def allocate(
        self,
        tokens: TokensLike | Any,
        namespace: Namespace | Any = None,
        reserve_tokens: Count = 0,
        priority: Count = 0,
        keep_blocks: Count = 0,
        resumed: bool | Any = False,
        match: Found | Any = None,
    ) -> Sequence:
        """Admit a prompt with what the learner's tree finds of it."""
        held: Held | None = None
        if self.own_trees is not None:
            self._owner.check()
            check_namespace(namespace)
            reserve_tokens = check_count("reserve_tokens", reserve_tokens, 0)
            tokens = check_prompt(tokens, reserve_tokens, self.config)
            match, held = self._ask(self.own_trees.find, tokens, namespace) or (None, None)
            if match is not None and self.own_trees is not None:
                num_new = -(-(len(tokens) + reserve_tokens) // self.config.block_size)
                missing = num_new - match.num_blocks - self.allocator.num_free
                self.own_trees.num_wanted = max(1, missing)
        try:
            sequence = super().allocate(
                tokens, namespace, reserve_tokens, priority, keep_blocks, resumed, match
            )
        except BaseException:
            if held and self.own_trees is not None:
                self._ask(self.own_trees.unlock, held)
            self._settle()
            raise
        if held and self.own_trees is not None:
            self.own_trees.held[sequence.id] = held
        self._settle()
        return sequence

    def append(self, sequence: Sequence | Any, tokens: TokensLike) -> list[Transfer]:
        """Append tokens; what this evicts, the learner's tree evicts too."""
        try:
            return super().append(sequence, tokens)
        finally:
            self._settle()

    def prepare_write(self, sequence: Sequence | Any, start: Count, end: Count) -> list[Transfer]:
        """Make positions writable; a lock that ends earlier then moves in the learner's tree."""
        try:
            return super().prepare_write(sequence, start, end)
        finally:
            self._settle()

    def fork(self, sequence: Sequence | Any, num_tokens: Count | None = None) -> Sequence:
        """Fork; the child gets a lock of its own in the learner's tree."""
        child = super().fork(sequence, num_tokens)
        self._settle()
        return child

    def commit(
        self, sequence: Sequence | Any, num_written: Count, max_tokens: Count | None = None
    ) -> None:
        """Register blocks, and offer them to the learner's tree."""
        max_tokens = self.most_tokens if max_tokens is None else max_tokens
        runs_here = isinstance(sequence, Sequence) and self.sequences.get(sequence.id) is sequence
        if self.own_trees is None or not runs_here:
            super().commit(sequence, num_written, max_tokens)
            self._settle()
            return
        end, offered = sequence.node.end, sequence.block_table.tolist()
        num_before = self.tree.num_blocks
        super().commit(sequence, num_written, max_tokens)
        if sequence.node.end > end:
            self.own_trees.note_stored(self.tree.num_blocks - num_before)
            self._ask(self.own_trees.insert, sequence, offered)
        self._settle()

    def release(self, sequence: Sequence | Any) -> None:
        """Finish, and give the lock in the learner's tree back."""
        super().release(sequence)
        self._ended(sequence)

    def abort(self, sequence: Sequence | Any) -> None:
        """Abort, and give the lock back."""
        super().abort(sequence)
        self._ended(sequence)

    def preempt(self, sequence: Sequence | Any) -> TokenArray:
        """Stop a request, and give the lock back."""
        tokens = super().preempt(sequence)
        self._ended(sequence)
        return tokens

    def _ended(self, sequence: Sequence) -> None:
        if self.own_trees is not None:
            self._ask(self.own_trees.end, sequence)
        self._settle()

    def pin(self, tokens: TokensLike, ttl_ticks: Count, namespace: Namespace | Any = None) -> Pin:
        """Pin a prefix in the learner's tree too."""
        pin = super().pin(tokens, ttl_ticks, namespace)
        if self.own_trees is not None:
            self._ask(self.own_trees.pin, pin)
        self._settle()
        return pin

    def unpin(self, pin: Pin | Any) -> None:
        """Remove a pin."""
        super().unpin(pin)
        self._settle()

    def evict(self, num_blocks: Count) -> int:
        """Evict cached blocks; return how many were evicted."""
        try:
            return super().evict(num_blocks)
        finally:
            self._settle()

    def reset(self) -> None:
        """Clear the whole cache; the learner's tree begins again too."""
        super().reset()
        self._settle()
