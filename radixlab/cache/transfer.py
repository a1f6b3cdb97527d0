"""Transfers: what a caller must copy before it goes on, one block at a time or in runs.

An eviction to the host moves dozens of blocks, and whoever is served may only want to hand the
transfers to `complete`. So a `Run` keeps block ids in two lists, and `Transfers` makes the single
`Transfer`s of its runs when somebody looks at them. This file knows block ids and no cache.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, Literal, NamedTuple, overload

TransferKind = Literal["copy", "write_back", "load_back"]
"""Device to device, device to host, host to device."""


class Transfer(NamedTuple):
    """Copy the bytes of block `src` to block `dst`.

    The cache orders it; the owner of the KV runs it.
    """

    src: int
    dst: int
    kind: TransferKind

    @property
    def device_blocks(self) -> tuple[int, ...]:
        """Its ends on the device."""
        if self.kind == "copy":
            return self.src, self.dst
        return (self.src if self.kind == "write_back" else self.dst,)

    @property
    def host_blocks(self) -> tuple[int, ...]:
        """The end of the transfer that is on the host, if there is one."""
        if self.kind == "copy":
            return ()
        return (self.dst if self.kind == "write_back" else self.src,)


class Run:
    """Transfers of one kind that were ordered together: block `src[i]` to block `dst[i]`."""

    __slots__ = ("_transfers", "dst", "kind", "receipt", "src")

    def __init__(
        self, kind: TransferKind, src: list[int], dst: list[int], receipt: Any = None
    ) -> None:
        self.kind = kind
        self.src = src
        self.dst = dst
        self.receipt = receipt
        """The lock on the blocks that the tree owns, until the last transfer is complete."""
        self._transfers: list[Transfer] | None = None

    @property
    def transfers(self) -> list[Transfer]:
        """Its transfers; always the same objects."""
        if self._transfers is None:
            self._transfers = list(map(Transfer, self.src, self.dst, repeat(self.kind)))
        return self._transfers

    def part(self, transfers: list[Transfer]) -> "Run":
        """Return these of its transfers as a run of their own."""
        src, dst = [t.src for t in transfers], [t.dst for t in transfers]
        part = Run(self.kind, src, dst, self.receipt)
        part._transfers = transfers
        return part

    @property
    def written_after(self) -> list[int]:
        """The ends that may be written as soon as the transfers have run (H2)."""
        if self.kind == "load_back":
            return []  # the tree owns them
        return self.dst if self.kind == "copy" else self.src

    @property
    def device_blocks(self) -> list[int]:
        """The ends on the device."""
        if self.kind == "copy":
            return self.src + self.dst
        return self.src if self.kind == "write_back" else self.dst


class Transfers(Sequence[Transfer]):
    """A list of transfers that cannot be changed.

    >>> transfers = Transfers([Run("copy", [3, 4], [7, 8])])
    >>> len(transfers), transfers[0]
    (2, Transfer(src=3, dst=7, kind='copy'))
    """

    __slots__ = ("runs",)

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs

    def _list(self) -> list[Transfer]:
        return [transfer for run in self.runs for transfer in run.transfers]

    def __len__(self) -> int:
        return sum(len(run.src) for run in self.runs)

    def __iter__(self) -> Iterator[Transfer]:
        return iter(self._list())

    @overload
    def __getitem__(self, index: int) -> Transfer: ...
    @overload
    def __getitem__(self, index: slice) -> list[Transfer]: ...
    def __getitem__(self, index: int | slice) -> Transfer | list[Transfer]:
        return self._list()[index]

    def __add__(self, others: list[Transfer]) -> list[Transfer]:
        return self._list() + list(others)

    def __radd__(self, others: list[Transfer]) -> list[Transfer]:
        return list(others) + self._list()

    def __mul__(self, times: int) -> list[Transfer]:
        return self._list() * times

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | Transfers) and self._list() == list(other)

    def __repr__(self) -> str:
        return repr(self._list())
