"""Seeds that were used before: their prompts may still be cached, and then nothing is fresh.

Each run with a given seed leaves a mark: one more prompt, asked at the start and at the end. A run
that finds the mark takes another seed, which the announced plan names.
"""

from contextlib import suppress

from radixlab.certify.outcome import CannotTell
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import RefusedError, Server

MOST_SEEDS = 50


def use_fresh(server: Server) -> None:
    """Change the seed until its mark is not found; does nothing if nobody can know."""
    given = server.seed
    if server.grid is None:
        return
    for number in range(1, MOST_SEEDS):
        found = server.ask(_mark(server)).usage.cached_tokens or 0
        if found <= server.grid.whole(server.head):
            return
        server.seed = f"{given}+{number}"
    raise CannotTell(f"the seed {given} was used here too often: give another one with --seed")


def leave_mark(server: Server) -> None:
    """Ask for the mark once more, so that it is evicted after all other prompts of this run."""
    if server.grid is not None:
        with suppress(CannotTell, RefusedError):
            server.ask(_mark(server))


def _mark(server: Server) -> Prompt:
    assert server.grid is not None
    num_tokens = server.grid.base + 3 * server.grid.unit
    return server.prompts("mark").fresh(server.num_units(num_tokens + server.head))
