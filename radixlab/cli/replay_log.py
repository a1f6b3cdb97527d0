"""`radixlab replay LOG`: a log of requests, as `radixlab why` reads it, as the workload.

It knows how such a file is recognised and what is said of it. `radixlab.why` reads it.
"""

from dataclasses import dataclass

import click

from radixlab.workloads import GENERATORS, Workload

MOST_SHOWN = 5
"""Lines that could not be read and are shown one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Log:
    """A file that is a log of requests."""

    path: str
    tokenizer: str | None

    def workload(self, limit: int | None) -> Workload:
        """Open it, and say which lines cannot be read, and what a token is."""
        from radixlab.why.tokenizers import open_tokenizer
        from radixlab.why.workload import open_request_log

        skipped = list[str]()
        num_skipped = 0

        def skip(text: str) -> None:
            nonlocal num_skipped
            num_skipped += 1
            if num_skipped <= MOST_SHOWN:
                skipped.append(text)

        tokens = open_tokenizer(self.tokenizer)
        workload = open_request_log(self.path, tokens, limit, skip)
        for text in skipped:
            click.echo(f"note: {self.path}, {text}", err=True)
        if num_skipped > MOST_SHOWN:
            click.echo(f"note: {num_skipped:,} lines cannot be read in all", err=True)
        click.echo(f"note: tokens by {tokens.name}; a log has no answers to keep", err=True)
        return workload


def open_log(trace: str, tokenizer: str | None, strict: bool) -> Log | None:
    """Return the log that a file is; None if it is something else."""
    from radixlab.why.workload import is_packed, is_request_log

    if trace not in GENERATORS and is_request_log(trace):
        if strict:
            raise click.UsageError(f"--strict has no effect on a log of requests: {trace}")
        return Log(trace, tokenizer)
    if tokenizer is not None:
        raise click.UsageError(f"--tokenizer has no effect: {trace} is not a log of requests")
    if trace not in GENERATORS and is_packed(trace):
        raise click.UsageError(f"{trace}: a packed trace: only logs of requests are read as gz")
    return None
