"""Measure the tiny model: how often its answers are right, and how a spoilt block changes them.

An answer is right if every token of the full sentence and the end token is the likeliest one.
Training has seen none of the names and sheets.
"""

from pathlib import Path
from random import Random

import click
import torch
from tqdm import tqdm

from radixlab.model.llama import Llama
from radixlab.model.loader import load_model
from radixlab.model.tiny import TINY
from radixlab.model.tiny.examples import Row, make_row, tell
from radixlab.model.tiny.facts import draw_sheet
from radixlab.model.tiny.spoil import tally

CASES = [(8, 56), *[(facts, tokens) for facts in (8, 16, 32) for tokens in (256, 512, 1024)]]
"""Numbers of facts and tokens in a document."""
SHARED_CASES = [(8, 56), (16, 256), (32, 1024)]
"""Cases measured again with namesakes, and with people about whom there are two facts."""


@torch.inference_mode()
def accuracy(
    model: Llama,
    num_facts: int,
    num_tokens: int,
    num_questions: int,
    seed: int = 0,
    share: float = 0.0,
) -> float:
    """Return the share of right answers, one question per sheet; see `draw_facts` for `share`."""
    rng = Random(seed)
    num_right = 0
    rows = [draw_question(rng, num_facts, num_tokens, share) for _ in range(num_questions)]
    num_rows = max(1, 8192 // num_tokens)
    for start in range(0, num_questions, num_rows):
        asked = rows[start : start + num_rows]
        num_right += int(tell(model, asked).right.view(len(asked), -1).all(1).sum())
    return num_right / num_questions


def draw_question(rng: Random, num_facts: int, num_tokens: int, share: float) -> Row:
    """Draw a sheet and ask for one of its facts."""
    sheet = draw_sheet(rng, num_facts, num_tokens, unseen=True, share=share)
    return make_row(sheet, [rng.choice(sheet.facts)])


def report(folder: Path, num_questions: int) -> None:
    """Print how often the model of a folder is right, as a table for a README."""
    model = load_model(folder, torch.float32)
    cases = [(*case, 0.0) for case in CASES] + [(*case, 0.5) for case in SHARED_CASES]
    click.echo("| facts | tokens | names | right |\n|---|---|---|---|")
    for facts, tokens, share in tqdm(cases, "accuracy", unit="case", disable=None, leave=False):
        right = accuracy(model, facts, tokens, num_questions, share=share)
        names = "some shared" if share else "all different"
        click.echo(f"| {facts} | {tokens:,} | {names} | {right:.1%} |")
    spoilt = tally(model, num_questions, num_facts=8, num_tokens=256)
    click.echo(
        f"\nOf {spoilt.num_asked} answers {spoilt.num_right} were right. Of these, "
        f"{spoilt.wrong_without_value} were wrong with the block of the value spoilt, and "
        f"{spoilt.right_without_other} were right still with another block spoilt."
    )


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, path_type=Path), default=TINY)
@click.option(
    "--questions",
    type=click.IntRange(1),
    default=128,
    show_default=True,
    help="Questions per number.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(folder: Path, questions: int, threads: int) -> None:
    """Measure the model of a folder; the shipped one by default."""
    torch.set_num_threads(threads)
    report(folder, questions)


if __name__ == "__main__":
    main()
