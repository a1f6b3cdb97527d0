"""Train the tiny model from a seed.

The same seed and steps give the same weights, on one thread of the same kind of machine. A
checkpoint is written regularly, and the same command continues from it. At the end DIR/weights is
a model's folder.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import click
import torch
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from radixlab.config import ConfigError
from radixlab.model.config import ModelConfig
from radixlab.model.tiny.curriculum import Curriculum
from radixlab.model.tiny.evaluate import report
from radixlab.model.tiny.examples import tell
from radixlab.model.tiny.export import export
from radixlab.model.tiny.start import CONFIG, start


@dataclass(frozen=True, slots=True)
class Plan:
    """The length and the learning rate of a training run."""

    seed: int = 0
    num_steps: int = 2000
    step_tokens: int = 3072
    """Roughly the tokens per step."""
    rate: float = 2e-3
    warm_up: int = 50

    def rate_at(self, step: int) -> float:
        """Return the learning rate: it rises for `warm_up` steps, then falls linearly to zero."""
        return self.rate * min(1, (step + 1) / self.warm_up) * (1 - step / self.num_steps)


class Training:
    """A model in training, with everything that its next step depends on."""

    def __init__(self, plan: Plan, config: ModelConfig = CONFIG) -> None:
        self.plan = plan
        self.model = start(config, plan.seed)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.1
        )
        self.rng = Random(plan.seed)
        self.curriculum = Curriculum()
        self.step = 0

    def advance(self) -> float:
        """Take one step; return its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        told = tell(self.model, self.curriculum.draw_rows(self.rng, self.plan.step_tokens))
        losses = functional.cross_entropy(told.logits, told.wanted, reduction="none")
        loss = (losses * told.weights).sum() / told.weights.sum()
        self.optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.curriculum.hear(told.right[told.weights == 1].float().mean().item())
        self.step += 1
        return loss.item()

    def state(self) -> dict[str, Any]:
        """Return the state from which `resume` continues exactly."""
        return {
            "plan": asdict(self.plan),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.getstate(),
            "curriculum": (self.curriculum.num_facts, self.curriculum.share_right),
            "step": self.step,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from a `state`; raise `ConfigError` if it has another plan."""
        if state["plan"] != asdict(self.plan):
            raise ConfigError(f"its plan is {state['plan']}, not {asdict(self.plan)}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.setstate(state["rng"])
        self.curriculum = Curriculum(*state["curriculum"])
        self.step = state["step"]


def run(training: Training, checkpoint: Path, every: int = 50) -> None:
    """Train to the end; show a bar, and write a line and a checkpoint every `every` steps."""
    steps = training.plan.num_steps
    with tqdm(total=steps, initial=training.step, unit="step", disable=None) as bar:
        while training.step < steps:
            loss = training.advance()
            bar.update()
            if training.step % every == 0 or training.step == steps:
                save(training, checkpoint)
                now = training.curriculum
                with bar.external_write_mode():
                    click.echo(
                        f"step {training.step}: loss {loss:.3f}, {now.share_right:.3f} of the "
                        f"values right with up to {now.num_facts:.0f} facts",
                        err=True,
                    )


def save(training: Training, checkpoint: Path) -> None:
    """Write a checkpoint atomically."""
    part = checkpoint.with_suffix(".part")
    torch.save(training.state(), part)
    part.replace(checkpoint)


@click.command(help=__doc__)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the checkpoint, and of the weights at the end.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of weights and sheets.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Steps of about 3,000 tokens.",
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="More give other sums."
)
@click.option(
    "--questions",
    type=click.IntRange(1),
    default=128,
    show_default=True,
    help="Questions per number that is measured at the end.",
)
def main(out: Path, seed: int, steps: int, threads: int, questions: int) -> None:
    """Train, or continue training; then write the weights and measure them."""
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    training = Training(Plan(seed, steps))
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        try:
            training.resume(torch.load(checkpoint, weights_only=True))
        except ConfigError as error:
            raise click.ClickException(f"{checkpoint}: {error}") from error
    run(training, checkpoint)
    export(training.model, out / "weights")
    report(out / "weights", questions)


if __name__ == "__main__":
    main()
