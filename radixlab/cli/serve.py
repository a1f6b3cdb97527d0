"""`radixlab serve`: OpenAI's API over one engine with a prefix cache."""

from pathlib import Path

import click

from radixlab.cli.shared import AT_LEAST_ONE, BYTES, examples

SECONDS = click.FloatRange(min=0, min_open=True)


@click.command(
    epilog=examples(
        "radixlab serve",
        "radixlab serve smollm2 --num-blocks 2048 --port 8001",
        "radixlab serve --replicas 3 --router prefix --route-by events",
        "radixlab serve my-model --swap-space 4GiB --api-key secret --log-json",
        "curl http://127.0.0.1:8000/v1/completions -H 'Content-Type: application/json' \\",
        '    -d \'{"model": "tiny", "prompt": "Nils Westborn keeps a rabbit. '
        "Q: What pet does Nils Westborn keep? A:\"}'",
    )
)
@click.argument("model", default="tiny", metavar="[MODEL]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 for a free one.",
)
@click.option(
    "--dtype",
    default="auto",
    show_default=True,
    help="Type of the weights: auto, float32, bfloat16, float16.",
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Where the model runs: cpu, cuda, cuda:1 or auto.",
)
@click.option(
    "--threads",
    type=AT_LEAST_ONE,
    help="Threads of PyTorch.  [default: one less than cores; 1 for a small model]",
)
@click.option(
    "--max-model-len",
    type=AT_LEAST_ONE,
    help="Most tokens of a prompt and its answer.  [default: the model's whole context]",
)
@click.option(
    "--num-blocks", type=AT_LEAST_ONE, default=1024, show_default=True, help="Blocks of the cache."
)
@click.option(
    "--block-size", type=AT_LEAST_ONE, default=16, show_default=True, help="Tokens of a block."
)
@click.option(
    "--policy", default="lru", show_default=True, help="Which cached blocks are evicted first."
)
@click.option(
    "--swap-space", type=BYTES, default=0, help="Host memory for evicted blocks, such as 4GiB."
)
@click.option(
    "--max-running",
    type=AT_LEAST_ONE,
    default=64,
    show_default=True,
    help="Answers that run at once.",
)
@click.option(
    "--max-batch-tokens",
    type=AT_LEAST_ONE,
    default=2048,
    show_default=True,
    help="Most tokens that one step computes.",
)
@click.option(
    "--max-queue",
    type=AT_LEAST_ONE,
    default=256,
    show_default=True,
    help="Answers that may wait; further requests get 429.",
)
@click.option(
    "--max-answers",
    type=AT_LEAST_ONE,
    default=128,
    show_default=True,
    help="Most answers to one request: its prompts times its n.",
)
@click.option(
    "--max-body-bytes",
    type=BYTES,
    default=4 * 2**20,
    show_default=True,
    help="A larger body gets 413.",
)
@click.option(
    "--max-unread-tokens",
    type=AT_LEAST_ONE,
    default=1024,
    show_default=True,
    help="A stream ends when its reader is this many tokens behind.",
)
@click.option(
    "--request-timeout",
    type=SECONDS,
    default=600.0,
    show_default=True,
    help="Seconds until a stream is cut; a request to which nothing was sent yet gets 504.",
)
@click.option(
    "--drain-timeout",
    type=SECONDS,
    default=30.0,
    show_default=True,
    help="Seconds that running requests get after SIGTERM.",
)
@click.option(
    "--api-key",
    envvar="RADIXLAB_API_KEY",
    help="The key that clients must send. RADIXLAB_API_KEY may hold it, so that `ps` does not show "
    "it.",
)
@click.option(
    "--operator-key",
    envvar="RADIXLAB_OPERATOR_KEY",
    help="The key that /metrics, /reset_prefix_cache and /debug then need instead. "
    "RADIXLAB_OPERATOR_KEY may hold it.",
)
@click.option(
    "--served-model-name",
    multiple=True,
    metavar="NAME",
    help="A name for the model; may be given several times.  [default: from MODEL]",
)
@click.option(
    "--kv-events",
    metavar="ENDPOINT",
    help="Publish what the cache stores and removes, in vLLM's format, such as tcp://*:5557.",
)
@click.option(
    "--kv-events-replay", metavar="ENDPOINT", help="Send missed events again, on this endpoint."
)
@click.option("--log-json", is_flag=True, help="Write the access log as JSON.")
@click.option(
    "--log-prompts",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append the body and usage of each answered request to this file.",
)
@click.option(
    "--replicas",
    type=AT_LEAST_ONE,
    default=1,
    show_default=True,
    metavar="N",
    help="Engines, each with a process and a cache of its own, under Ray Serve.",
)
@click.option(
    "--router",
    metavar="NAME",
    help="Who chooses a replica: prefix, round-robin, power-of-two, session.  [default: prefix]",
)
@click.option(
    "--route-by",
    metavar="FEED",
    help="What the prefix router learns from: events of the caches (exact), or routed prompts.  "
    "[default: events]",
)
@click.option("--debug", is_flag=True, help="Offer GET /debug/cache, which describes the cache.")
def serve(**options: object) -> int:
    """Serve MODEL with OpenAI's API: `tiny`, `smollm2`, or a folder in Hugging Face's format.

    With --replicas N, sizes apply to each replica, and --max-queue to all together. The router
    sends a prompt where its prefix is cached. Ray must be installed (pip install 'radixlab[ray]').

    The access log goes to stdout, one line per request, without the text of any prompt. Metrics are
    at /metrics, in Prometheus's format. After SIGTERM running requests finish, and the exit code
    is 0.
    """
    from radixlab.serve.settings import Settings

    settings = Settings(**options)  # type: ignore[arg-type]  # one field for each option
    if settings.replicas > 1:
        from radixlab.serve.replicas.run import run
    else:
        from radixlab.serve.run import run
    return run(
        settings,
        lambda line: click.echo(line),
        lambda line: click.echo(line, err=True),
    )
