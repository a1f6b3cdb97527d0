"""`radixlab why`: why prompts missed a prefix cache, from a log of requests."""

import math
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from radixlab.cli.shared import AT_LEAST_ONE, OneOf, OutputFile, examples

if TYPE_CHECKING:
    from radixlab.why.report import Report
    from radixlab.why.show.words import Prices

PROFILES = ("openai", "anthropic", "vllm", "sglang")
BELOW = 1
"""The exit code when the hit rate is below `--fail-under`."""
PEEKED = 200
"""Requests that are looked at before a log is read."""
MOST_SKIPPED = 10
"""Skipped lines that are named on stderr; the JSON and the page have more."""
COLOURS: dict[str, dict[str, Any]] = {
    "strong": {"bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "soft": {"dim": True},
}


class Number(click.ParamType[float]):
    """A finite number in a range."""

    name = "number"

    def __init__(self, most: float = math.inf) -> None:
        self.most = most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; fail with one line for anything else."""
        try:
            number = float(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not (math.isfinite(number) and 0 <= number <= self.most):
            wanted = f"between 0 and {self.most:g}" if self.most < math.inf else "0 or more"
            self.fail(f"{value!r} is not {wanted}", param, ctx)
        return number


class Duration(click.ParamType[float]):
    """A time as people type it: 300, 5m, 1h; in seconds."""

    name = "time"
    _UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; fail with one line for anything else."""
        text = str(value).strip().lower()
        number = text[:-1] if text[-1:] in self._UNITS else text
        try:
            seconds = float(number) * self._UNITS.get(text[-1:], 1)
        except ValueError:
            self.fail(f"{value!r} is not a time: write 300, 5m or 1h", param, ctx)
        if not (math.isfinite(seconds) and seconds > 0):
            self.fail(f"{value!r} is not a time above 0", param, ctx)
        return seconds


@click.command(
    epilog=examples(
        "radixlab why support-desk",
        "radixlab why prompts.jsonl",
        "radixlab why prompts.jsonl --html report.html --no-text",
        "radixlab why prompts.jsonl --profile openai --price 2.50 --cached-price 1.25",
        "radixlab why monday.jsonl.gz tuesday.jsonl.gz --ttl 5m",
        "radixlab why prompts.jsonl --num-blocks 4096 --block-size 16 --json",
        "radixlab serve --log-prompts prompts.jsonl  # makes such a log",
        "zcat day.gz | radixlab why - --fail-under 0.6",
    )
)
@click.argument("logs", nargs=-1, required=True, metavar="LOG.jsonl...")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--html", type=OutputFile(".html"),
    help="Write one offline page: the tree with its breaks, a diff at each break, ranked fixes.",
)  # fmt: skip
@click.option(
    "--fail-under", type=Number(1), metavar="RATE",
    help=f"Exit with code {BELOW} when the hit rate is below this, such as 0.6.",
)  # fmt: skip
@click.option(
    "--no-text", is_flag=True, help="Leave out all text of the prompts; keep positions and numbers."
)
@click.option("--price", type=Number(), help="What a million input tokens cost.")
@click.option(
    "--cached-price", type=Number(),
    help="What a million cached input tokens cost.  [default: 0]",
)  # fmt: skip
@click.option(
    "--profile", type=OneOf(PROFILES),
    help="Use the cache rules of a provider or engine.  [default: no minimum, whole blocks]",
)  # fmt: skip
@click.option("--block-size", type=AT_LEAST_ONE, help="Tokens per block.  [default: 16]")
@click.option("--num-blocks", type=AT_LEAST_ONE, help="Blocks in the pool.  [default: unlimited]")
@click.option(
    "--ttl", type=Duration(),
    help="How long a prefix is kept: 300 (seconds), 5m or 1h. The log needs timestamps.",
)  # fmt: skip
@click.option(
    "--tokenizer", metavar="MODEL|tiktoken|bytes", default="bytes", show_default=True,
    help="How tokens are counted: by a model's tokenizer (tiny, smollm2, or a folder, whose chat "
    "template then writes the chats), by the package tiktoken, or as 4 bytes of UTF-8 each.",
)  # fmt: skip
@click.option("--limit", type=AT_LEAST_ONE, help="Read only the first N requests.")
@click.pass_context
def why(
    context: click.Context,
    logs: tuple[str, ...],
    is_json: bool,
    html: Path | None,
    fail_under: float | None,
    no_text: bool,
    price: float | None,
    cached_price: float | None,
    profile: str | None,
    block_size: int | None,
    num_blocks: int | None,
    ttl: float | None,
    tokenizer: str,
    limit: int | None,
) -> None:
    """Say why prompts missed the prefix cache, from a log of requests.

    Each line of LOG.jsonl is one request: the body that was sent to OpenAI's or Anthropic's API, or
    {"prompt": …}, or {"token_ids": […]}, with "timestamp", "session" and "usage" if they are known.
    The log may be compressed with gzip; `-` reads standard input. Several logs are read as one, in
    the given order. `support-desk` and `coding-agent` are example logs. Nothing leaves this
    machine.
    """
    from radixlab.why.spool import one_log

    prices = _prices(price, cached_price)
    _refuse_what_has_no_effect(profile, block_size)
    if html:
        _require_folder(html)
    settings = {"num_blocks": num_blocks, "ttl": ttl, "profile": profile, "tokenizer": tokenizer}
    if block_size is not None:
        settings["block_size"] = block_size
    with one_log(logs) as log:
        for note in log.notes:
            click.echo(f"note: {note}", err=True)
        _refuse_what_has_no_effect_on(log.path, ttl, tokenizer)
        report = _explain(log.path, text=not no_text, limit=limit, **settings)
    _tell_skipped(report)
    _print(report, log.name, prices, is_json)
    if html:
        from radixlab.why.show.page import save_page

        click.echo(save_page(html, report, log.name, prices), err=True)
    context.exit(_verdict(report, fail_under))


def _prices(price: float | None, cached_price: float | None) -> "Prices | None":
    from radixlab.why.show.words import Prices

    if price is None:
        if cached_price is not None:
            raise click.UsageError("--cached-price has no effect without --price")
        return None
    if cached_price is not None and cached_price > price:
        raise click.UsageError(
            f"--cached-price {cached_price:g} is above --price {price:g}: a hit would cost more"
        )
    return Prices(price, cached_price or 0.0)


def _refuse_what_has_no_effect(profile: str | None, block_size: int | None) -> None:
    if profile is not None and block_size is not None:
        raise click.UsageError(
            f"--block-size has no effect with --profile {profile}, which has blocks of its own; "
            f"without a profile, whole blocks of {block_size} are found"
        )


def _refuse_what_has_no_effect_on(path: Path, ttl: float | None, tokenizer: str) -> None:
    """Look at the log's first requests for what these options need."""
    from radixlab.why.reading import read_log

    if ttl is None and tokenizer == "bytes":
        return
    first = list(islice(read_log(path), PEEKED))
    if not first:
        return
    if ttl is not None and all(request.timestamp is None for request in first):
        raise click.UsageError("--ttl has no effect: the log's requests have no timestamps")
    if tokenizer != "bytes" and all(request.token_ids is not None for request in first):
        raise click.UsageError("--tokenizer has no effect: the log has token ids")


def _require_folder(path: Path) -> None:
    """Fail now, not after minutes of reading."""
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"{path}: there is no folder {path.parent}")


def _explain(path: Path, **settings: Any) -> "Report":
    from radixlab.why.explain import explain

    with _progress() as progress:
        return explain(path, progress=progress, **settings)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar of bytes on stderr, where that is a terminal."""
    from tqdm import tqdm

    with tqdm(
        desc="why", unit="B", unit_scale=True, file=sys.stderr, disable=None, leave=False, delay=0.5
    ) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _tell_skipped(report: "Report") -> None:
    from radixlab.why.show.words import number_of, shown

    for line in report.skipped_lines[:MOST_SKIPPED]:
        click.echo(f"skipped: {shown(line, 300)}", err=True)
    left = report.num_skipped - min(len(report.skipped_lines), MOST_SKIPPED)
    if left > 0:
        click.echo(f"skipped: {number_of(left, 'more line')}", err=True)


def _print(report: "Report", name: str, prices: "Prices | None", is_json: bool) -> None:
    if is_json:
        from radixlab.why.show.as_json import json_text

        click.echo(json_text(report, prices))
        return
    from radixlab.why.show.table import table

    width = min(max(shutil.get_terminal_size((80, 24)).columns, 60), 100)
    click.echo(table(report, name, prices, width, _paint))


def _paint(text: str, role: str) -> str:
    return click.style(text, **COLOURS[role])


def _verdict(report: "Report", fail_under: float | None) -> int:
    if fail_under is None:
        return 0
    if not report.prompt_tokens:
        click.echo("the log has no prompt token, so its hit rate is not known", err=True)
        return BELOW
    if report.hit_rate < fail_under:
        said = f"hit rate {report.hit_rate:.4f} is below --fail-under {fail_under:g}"
        click.echo(said, err=True)
        return BELOW
    return 0
