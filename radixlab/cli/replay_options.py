"""What `radixlab replay` is asked for, as text, and what it means: policies, sizes, caches.

It refuses what is wrong and what would have no effect. It runs nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from radixlab.bench.own_policy import OwnPolicy, names_a_file, open_policy
from radixlab.bench.replay_runs import Entrant, named
from radixlab.choices import not_one_of
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, manager_names

MAX_BLOCKS = 100_000_000
"""More than any pool has; a typing error beyond it would fill the machine's memory."""
MAX_BLOCK_SIZE = 65_536


def entrants(values: Sequence[str]) -> list[Entrant]:
    """Return the policies of all `--policy` options, each a list with commas."""
    policies: list[str | OwnPolicy] = []
    seen: set[object] = set()
    for word in (part.strip() for value in values for part in value.split(",")):
        policy = open_policy(word) if names_a_file(word) else _known(word)
        which = policy if isinstance(policy, str) else (policy.path.resolve(), policy.attribute)
        if which in seen:
            raise click.UsageError(f"--policy {','.join(values)!r}: {word} is named twice")
        seen.add(which)
        policies.append(policy)
    for own in policies:
        for note in own.notes if isinstance(own, OwnPolicy) else ():
            click.echo(f"note: {own}: {note}", err=True)
    return named(policies)


def _known(name: str) -> str:
    known = manager_names()
    if name not in known:
        raise click.UsageError(f"policy {not_one_of(name, known, unless='FILE.py:NAME')}")
    return name


@dataclass(frozen=True, slots=True)
class Caches:
    """The shapes of cache to run, all with the same memory for the same pool."""

    block_sizes: list[int]
    host_bytes: int
    kv_bytes_per_token: int

    def shape(self, num_blocks: int, block_size: int) -> CacheConfig:
        """Return a cache that holds as many tokens as `num_blocks` blocks of the first size."""
        num_tokens = num_blocks * self.block_sizes[0]
        num_own = num_tokens // block_size
        if not num_own:
            raise click.UsageError(
                f"{num_blocks:,} blocks of {self.block_sizes[0]} are {num_tokens:,} tokens: "
                f"not a block of {block_size:,}"
            )
        if num_own > MAX_BLOCKS:
            raise click.UsageError(
                f"{num_tokens:,} tokens in blocks of {block_size} are {num_own:,} blocks: "
                f"over {MAX_BLOCKS:,}"
            )
        return CacheConfig(num_own, block_size, num_host_blocks=self._host_blocks(block_size))

    def table(self, pools: Sequence[int]) -> list[CacheConfig]:
        """Return every block size with every pool, the pools rising."""
        return [self.shape(pool, size) for size in self.block_sizes for pool in sorted(set(pools))]

    def _host_blocks(self, block_size: int) -> int:
        if not self.host_bytes:
            return 0
        num_blocks = self.host_bytes // (self.kv_bytes_per_token * block_size)
        if not num_blocks:
            block = f"{self.kv_bytes_per_token * block_size:,} bytes"
            of = f"--swap-space {self.host_bytes:,} bytes"
            raise click.UsageError(f"{of} holds no block of {block}")
        if num_blocks > MAX_BLOCKS:
            raise click.UsageError(f"--swap-space is {num_blocks:,} blocks: over {MAX_BLOCKS:,}")
        return num_blocks


def caches(block_sizes: str, swap_space: int | None, kv_bytes_per_token: int | None) -> Caches:
    """Read what all caches have in common."""
    sizes = numbers("--block-size", block_sizes, MAX_BLOCK_SIZE)
    if not swap_space:
        if kv_bytes_per_token is not None and swap_space is None:
            raise click.UsageError("--kv-bytes-per-token has no effect without --swap-space")
        return Caches(sizes, 0, 0)
    if kv_bytes_per_token is None:
        raise click.UsageError("--swap-space needs --kv-bytes-per-token to become blocks")
    if not kv_bytes_per_token:
        raise click.UsageError("--kv-bytes-per-token is 0: a token has keys and values")
    return Caches(sizes, swap_space, kv_bytes_per_token)


def pool_sizes(text: str | None, num_blocks: int) -> list[int]:
    """Return the sizes for a sweep over pools, those of the plot if none are given."""
    if text is None:
        return [max(1, int(num_blocks * 2**power)) for power in (-2, -1, -0.5, 0, 0.5, 1, 2)]
    return numbers("--pool-sizes", text, MAX_BLOCKS)


def numbers(option: str, text: str, most: int) -> list[int]:
    """Read a list of different numbers between 1 and `most`."""
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"{option} {text!r}: must be numbers such as 1000,2000") from None
    if wrong := [value for value in values if not 1 <= value <= most]:
        raise click.UsageError(f"{option}: {wrong[0]} is not between 1 and {most:,}")
    if twice := [value for value in values if values.count(value) > 1]:
        raise click.UsageError(f"{option} {text!r}: {twice[0]} is named twice")
    return values


def refuse_options_without_effect(
    trace: str,
    seed: int | None,
    strict: bool,
    names: Sequence[str],
    swap_space: int | None,
    picture: Path | None,
) -> None:
    """Raise for an option that would change nothing."""
    if seed is not None and trace not in GENERATORS and os.path.lexists(trace):
        raise click.UsageError(f"--seed has no effect on a file: {trace}")
    if strict and trace in GENERATORS:
        raise click.UsageError(f"--strict has no effect on a generator: {trace}")
    if picture and list(names) == ["naive"]:
        raise click.UsageError("nothing to draw: the naive manager has no tree")
    if swap_space and list(names) == ["naive"]:
        raise click.UsageError("--swap-space has no effect on naive: it caches nothing")


def refuse_options_beside_a_summary(context: click.Context) -> None:
    """Raise for an option of a replay: a summary looks at the workload alone."""
    alone = {"trace", "limit", "seed", "strict", "block_sizes", "is_json", "plot"}
    alone |= {"is_summary", "tokenizer"}
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
        if given and name not in alone:
            raise click.UsageError(f"{parameter.opts[0]} has no effect on a summary")
