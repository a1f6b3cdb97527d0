"""The engine end to end on a GPU: a model of real size with random weights, its cache on and off.

    python benchmarks/e2e_gpu.py [--quick] [--device cpu] [FOLDER]

It needs torch, Triton and NumPy. Each row is printed as it is measured, and with a folder also kept
in e2e.md, a section for RESULTS.md. transformers is measured beside
ours where it can be imported. `--device cpu --quick` rehearses the program without a GPU.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from radixlab.bench.e2e_models import QUICK, WIDE, Transformers
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, Shown, TableReport
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner

BLOCK_SIZE = 16
HEADER = ("workload", "contender", "seconds", "÷ ours, cache on", "tokens/s", "cached")
Prompts = list[np.ndarray]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Prompts that are there at once, and how long their answers are."""

    name: str
    prompts: Prompts
    num_output_tokens: int

    @property
    def num_tokens(self) -> int:
        """Tokens of all prompts and answers."""
        return sum(map(len, self.prompts)) + len(self.prompts) * self.num_output_tokens


def traffics(sizes: ModelConfig, quick: bool) -> Iterator[Traffic]:
    """Yield the workloads: a long document, an instruction, nothing shared."""
    rng = np.random.default_rng(0)

    def draw(num: int) -> np.ndarray:
        return rng.integers(0, sizes.vocab_size, num).astype(np.int32)

    num, output = (4, 4) if quick else (32, 64)
    for shared, own in ((8192, 128), (2048, 128), (0, 1024)):
        shared, own = (shared // 64, own // 16) if quick else (shared, own)
        prefix = draw(shared)
        prompts = [np.concatenate((prefix, draw(own))) for _ in range(num)]
        yield Traffic(f"{num} requests: {shared:,} tokens shared, {own:,} own", prompts, output)


def make_model(sizes: ModelConfig, device: str, dtype: torch.dtype) -> Llama:
    """Draw weights on the device itself, as widely as keeps the residual stream bounded."""
    with torch.device(device):
        model = Llama(sizes).to(dtype).requires_grad_(False)
        generator = torch.Generator(device).manual_seed(0)
    for weight in model.parameters():
        if weight.ndim == 2:
            weight.normal_(0, weight.shape[-1] ** -0.5, generator=generator)
    return model


def seconds(action: Callable[[], object], device: str) -> float:
    """Time an action to the end of its work on the device."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    action()
    wait()
    return time.perf_counter() - start


def serve(model: Llama, traffic: Traffic, is_on: bool) -> Engine:
    """Serve all prompts on a new engine; with the cache off each is in a namespace of its own."""
    num_tokens = sum(len(p) + traffic.num_output_tokens + BLOCK_SIZE for p in traffic.prompts)
    cache = CacheConfig(-(-num_tokens // BLOCK_SIZE), BLOCK_SIZE)
    scheduler = SchedulerConfig(max_running=len(traffic.prompts), max_batch_tokens=16_384)
    engine = Engine(KVCacheManager(cache), Runner(model, cache), scheduler)
    for number, prompt in enumerate(traffic.prompts):
        namespace = None if is_on else ("salt", f"request {number}")
        engine.add_request(prompt, traffic.num_output_tokens, namespace=namespace)
    while engine.has_work:
        engine.step()
    return engine


def peer(model: Llama, device: str) -> Transformers | None:
    """Put the same weights into transformers; None, and a line on stderr, where that fails."""
    try:
        theirs = Transformers(model)
        theirs.model.to(device, next(model.parameters()).dtype)
    except Exception as error:  # a peer that cannot run here must not cost our own figures
        print(f"transformers: not run: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    return theirs


def rows_of(
    model: Llama, theirs: Transformers | None, traffic: Traffic, rounds: int, device: str
) -> Iterator[list[Cell]]:
    """Measure one workload: all contenders take turns, after one turn that does not count."""
    first = replace(traffic, name="first token", num_output_tokens=1)
    contenders: dict[str, Callable[[], object]] = {
        "ours, cache on": lambda: serve(model, traffic, True),
        "ours, cache off": lambda: serve(model, traffic, False),
        "ours, first tokens, cache on": lambda: serve(model, first, True),
        "ours, first tokens, cache off": lambda: serve(model, first, False),
    }
    if theirs:
        contenders[theirs.name] = lambda: theirs.generate(
            traffic.prompts, traffic.num_output_tokens
        )
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    stats = serve(model, traffic, True).stats()
    share = Shown(stats.cached_tokens / stats.prompt_tokens, ".0%")
    for round_number in range(rounds + 1):
        for name, action in contenders.items():
            try:
                took = seconds(action, device)
            except torch.OutOfMemoryError:
                continue
            if round_number:
                samples[name].append(took)
            gc.collect()
    for name, took in samples.items():
        if not took:
            yield [traffic.name, f"{name}: out of memory", "", "", "", ""]
            continue
        ours = samples["ours, first tokens, cache on" if "first" in name else "ours, cache on"]
        over = ratios(took, ours) if len(took) == len(ours) else ""
        rate = "" if "first" in name else spread(traffic.num_tokens / s for s in took)
        yield [traffic.name, name, spread(took), over, rate, share if "on" in name[-3:] else ""]


def share_row(model: Llama, num_steps: int, quick: bool, device: str) -> list[Cell]:
    """Measure what a decoding step spends outside the model: scheduler, cache, plans, events."""
    num, context = (4, 64) if quick else (64, 1024)
    cache = CacheConfig((num + 1) * (context + num_steps + BLOCK_SIZE) // BLOCK_SIZE, BLOCK_SIZE)
    runner = Runner(model, cache)
    engine = Engine(KVCacheManager(cache), runner, SchedulerConfig(max_running=num))
    rng = np.random.default_rng(1)
    for _ in range(num):
        prompt = rng.integers(0, model.config.vocab_size, context).astype(np.int32)
        engine.add_request(prompt, num_steps + 8)
    inside = [0.0]
    forward, choose = runner.forward, runner.choose

    def timed(call: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            kept: list[object] = []
            inside[0] += seconds(lambda: kept.append(call(*arguments)), device)
            return kept[0]

        return run

    runner.forward, runner.choose = timed(forward), timed(choose)  # type: ignore[assignment]
    while len(engine.scheduler.running) < num or any(
        not r.output for r in engine.requests.values()
    ):
        engine.step()
    shares = []
    with quiet_gc():
        for _ in range(num_steps):
            inside[0] = 0.0
            whole = seconds(engine.step, device)
            shares.append(1 - inside[0] / whole)
    what = f"a step of {count(num, 'request')}, {context:,} tokens each, nothing shared"
    return [what, "share outside forward and choose", spread(shares), "", "", ""]


def main(arguments: Sequence[str]) -> None:
    quick, device = "--quick" in arguments, "cpu" if "cpu" in arguments else "cuda"
    folders = [Path(a) for a in arguments if not a.startswith("--") and a not in ("cpu", "cuda")]
    sizes, dtype = (QUICK, torch.float32) if quick else (WIDE, torch.bfloat16)
    rounds = 1 if quick else 3
    chip = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    model = make_model(sizes, device, dtype)
    num = sum(weight.numel() for weight in model.parameters())
    what = (
        f"torch {torch.__version__}, {chip}; a model of {num / 1e9:.2f} billion random weights, "
        f"{sizes.num_layers} layers, {sizes.num_heads}/{sizes.num_kv_heads} heads of "
        f"{sizes.head_dim}, {str(dtype).removeprefix('torch.')}. Wall time to the end of the "
        f"device's work, median (min - max) of {count(rounds, 'round')} of turns after one that "
        "does not count; tokens/s are prompt and answer tokens."
    )
    command = " ".join(["python benchmarks/e2e_gpu.py", *arguments])
    rows: list[list[Cell]] = []
    report = TableReport(f"End to end ({device})", command, what, HEADER, rows)

    def keep(row: list[Cell]) -> None:
        rows.append(row)
        print("  ".join(map(str, row)), flush=True)
        for folder in folders:  # at once: the program may be stopped at a limit
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "e2e.md").write_text(report.markdown() + "\n", encoding="utf-8")

    with torch.inference_mode():
        keep(share_row(model, 8 if quick else 64, quick, device))
        theirs = peer(model, device)
        for traffic in traffics(sizes, quick):
            for row in rows_of(model, theirs, traffic, rounds, device):
                keep(row)


if __name__ == "__main__":
    main(sys.argv[1:])
