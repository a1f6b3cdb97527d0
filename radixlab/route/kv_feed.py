"""From the KV events of replicas to the map of prefixes.

    payloads of any engine ─► RemoteTree ─► our events ─► Outgoing ─► KV events ─┐
    KV events of radixlab, whose block names are ours already ───────────────────┴► KVFeed ─► map

`KVFeed` reads events whose names are ours. `radixlab.observe.kv` does the rest for the streams of
other engines: order, gaps, repeats, orphans, and a name for each block that is the same for all.
"""

from collections.abc import Iterable

from radixlab.events import Event
from radixlab.observe.kv.mirror import UnknownNodeError
from radixlab.observe.kv.outgoing import HEARD, Outgoing
from radixlab.observe.kv.remote import RemoteTree
from radixlab.observe.kv.wire import GPU, Removed, Stored, WireEvent
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Key


class KVFeed:
    """Follows one replica's KV events into a map.

    A block counts as held while any medium has it: the device, the host or a disk.

    >>> known = PrefixMap()
    >>> feed = KVFeed(known, slot=0)
    >>> feed.hear([Stored([7, 8], None, [1, 2, 3, 4], block_size=2), Removed([8])])
    >>> known.levels((7, 8), alive=1)
    [(1, 1)]
    """

    def __init__(self, known: PrefixMap, slot: int) -> None:
        self.known, self.slot = known, slot
        self._elsewhere: dict[Key, set[str]] = {}
        """For each block that was ever on another medium than the device: all media with it."""

    def hear(self, events: Iterable[WireEvent]) -> None:
        """Take events in the order in which they were published."""
        for event in events:
            if isinstance(event, Stored):
                self._stored(names_as_numbers(event.block_hashes), event.medium or GPU)
            elif isinstance(event, Removed):
                self._removed(names_as_numbers(event.block_hashes), event.medium or GPU)
            else:
                self.forget()

    def forget(self) -> None:
        """Forget what the replica holds."""
        self.known.forget(self.slot)
        self._elsewhere.clear()

    def _stored(self, keys: list[Key], medium: str) -> None:
        for key in keys:
            if medium != GPU and key not in self._elsewhere:
                is_on_device = self.known.holders(key) >> self.slot & 1
                self._elsewhere[key] = {GPU} if is_on_device else set()
            if key in self._elsewhere:
                self._elsewhere[key].add(medium)
        self.known.add(self.slot, keys)

    def _removed(self, keys: list[Key], medium: str) -> None:
        self.known.remove(self.slot, [key for key in keys if self._is_last(key, medium)])

    def _is_last(self, key: Key, medium: str) -> bool:
        """Take a block off a medium; return whether no other one has it."""
        media = self._elsewhere.get(key)
        if media is None:
            return medium == GPU
        media.discard(medium)
        if not media:
            del self._elsewhere[key]
        return not media


class RemoteFeed:
    """Follows the payloads of one replica, whatever its engine, into a map.

    `tree` is the tree that receives the payloads, such as the one of a `watch_events`.
    """

    def __init__(self, feed: KVFeed, tree: RemoteTree) -> None:
        self.feed, self.tree = feed, tree
        self._outgoing: Outgoing | None = None
        tree.emit = self._hear

    def repeat(self) -> None:
        """Tell again all that the replica holds, to a map that has forgotten it."""
        if self.tree.block_size is not None:
            self._begin()

    def _hear(self, event: Event) -> None:
        if type(event) not in HEARD or self.tree.block_size is None:
            return
        if self._outgoing is None or self._outgoing.block_size != self.tree.block_size:
            self._begin()
        else:
            try:
                self.feed.hear(self._outgoing.hear(event))
            except UnknownNodeError:  # the tree has skipped an event: copy it as it is now
                self._begin()

    def _begin(self) -> None:
        """Take over everything that the tree holds now."""
        assert self.tree.block_size is not None
        self._outgoing = Outgoing(self.tree.block_size)
        self.feed.hear(self._outgoing.begin(self.tree.snapshot()))


def names_as_numbers(names: list[int | bytes]) -> list[Key]:
    """Return names as numbers; a whole digest is known by its first 64 bits."""
    return [name if isinstance(name, int) else int.from_bytes(name[:8], "big") for name in names]
