"""`radixlab certify`: whether a server's prefix cache does what it says."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from radixlab.certify import CHECKS, Options, Report, certify
from radixlab.certify.check import Check
from radixlab.certify.registry import chosen
from radixlab.certify.run import TOKENS
from radixlab.cli.shared import AT_LEAST_ONE, OneOf, examples

WIDTH = 80
SECONDS = click.FloatRange(min=0.1, max=86_400)


@click.command(
    "certify",
    epilog=examples(
        "radixlab certify http://127.0.0.1:8000",
        "radixlab certify localhost:8000 --only cached --only salt.apart",
        "radixlab certify gpu-7:30000 --no-reset --json > certificate.json",
        "radixlab certify localhost:8000 --kv-events tcp://127.0.0.1:5557 \\",
        "    --kv-events-replay tcp://127.0.0.1:6557",
        "radixlab certify https://api.example.com --model m --max-tokens-budget 20000",
        "radixlab certify --list",
        "radixlab certify --list --only salt",
    ),
)
@click.argument("url", required=False)
@click.option(
    "--list", "is_list", is_flag=True,
    help="List the checks, or with --only the rules of some in full, and exit.",
)  # fmt: skip
@click.option(
    "--only", multiple=True, metavar="ID", help="This check or family only; may be repeated."
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object with all evidence.")
@click.option("--verbose", is_flag=True, help="Show the evidence of passed checks too.")
@click.option(
    "--api-key", envvar="RADIXLAB_API_KEY",
    help="The clients' key; RADIXLAB_API_KEY may hold it.",
)  # fmt: skip
@click.option(
    "--operator-key", envvar="RADIXLAB_OPERATOR_KEY",
    help="The key for /metrics and reset, if it differs; RADIXLAB_OPERATOR_KEY may hold it.",
)  # fmt: skip
@click.option("--model", metavar="NAME", help="The model to ask.  [default: the first listed]")
@click.option(
    "--as", "form", type=OneOf(["ids", "text", "chat"]),
    help="Send prompts as token ids, text or chats.  [default: the first that the server takes]",
)  # fmt: skip
@click.option(
    "--block-size", type=AT_LEAST_ONE,
    help="Tokens per cached block.  [default: as published, or found by prompts]",
)  # fmt: skip
@click.option("--seed", help="Seed of the prompts.  [default: a new one, which is printed]")
@click.option(
    "--max-tokens-budget", "most_tokens", type=AT_LEAST_ONE, default=TOKENS, show_default=True,
    help="Most prompt and answer tokens to spend.",
)  # fmt: skip
@click.option(
    "--timeout", "timeout_s", type=SECONDS, default=60.0, show_default=True,
    help="Seconds for one answer.",
)  # fmt: skip
@click.option(
    "--patience", "patience_s", type=SECONDS, default=30.0, show_default=True,
    help="Seconds to wait for a busy server, a counter or an event.",
)  # fmt: skip
@click.option(
    "--reset/--no-reset", "may_reset", default=True, show_default=True,
    help="Let checks empty the cache, which all clients share.",
)  # fmt: skip
@click.option("--kv-events", metavar="ENDPOINT", help="Where the server publishes its KV events.")
@click.option(
    "--kv-events-replay", metavar="ENDPOINT", help="Where to ask for events that were missed."
)
def certify_command(
    url: str | None,
    is_list: bool,
    only: tuple[str, ...],
    is_json: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Check from outside that a server's prefix cache does what it says.

    URL is the address of a server with OpenAI's API: radixlab, vLLM, SGLang, a gateway or a hosted
    service. Each check passes, fails or cannot tell, and names the requests and numbers behind its
    verdict. The exit code is 1 if a check failed, and otherwise 0. The command prints how many
    requests and tokens it will spend before it spends them.
    """
    if is_list:
        if is_json:
            listed = [{"id": c.id, "title": c.title, "rule": c.rule} for c in chosen(only)]
            click.echo(json.dumps(listed))
        else:
            click.echo("\n".join(_listed(only)))
        return 0
    if url is None:
        raise click.UsageError("give the URL of a server, or --list")
    report = _certified(url, only, Options(**given), is_json, verbose)
    if is_json:
        click.echo(json.dumps(report.as_json(), allow_nan=False))
    return int(report.has_failed)


def _listed(only: tuple[str, ...]) -> Iterator[str]:
    """Yield a line for each check; for those that are named, their rules as well."""
    if not only:
        yield from textwrap.wrap(
            f"{len(CHECKS)} checks, in the order in which they run. `radixlab certify --list "
            "--only salt` prints the rules of a family in full, and `--only salt.apart` one rule.",
            WIDTH,
        )
        yield ""
    for number, check in enumerate(chosen(only)):
        if only and number:
            yield ""
        yield _line(check)
        if only:
            yield textwrap.indent(textwrap.fill(check.rule, WIDTH - 4), "    ")


def _line(check: Check) -> str:
    return f"{check.id:{max(map(len, CHECKS))}}  {check.title}"


def _certified(
    url: str, only: tuple[str, ...], options: Options, is_json: bool, verbose: bool
) -> Report:
    """Run, and show each result as it comes, unless the whole is printed as JSON."""

    def say(line: str) -> None:
        click.echo(line, err=True)

    if is_json:
        return certify(url, only, options, say)
    from rich.console import Console

    from radixlab.cli.certify_view import evidence, row, summary

    console = Console()
    report = certify(url, only, options, say, lambda result: console.print(row(result)))
    for result in report.results:
        if verbose or result.verdict == "fail":
            console.print(evidence(result))
    console.print(summary(report))
    return report
