"""What the routes know of a model that another thread or another process runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radixlab.llm import LLM
from radixlab.model.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Facts:
    """Sizes and names that never change while a model is served."""

    num_blocks: int
    block_size: int
    max_context_len: int | None
    vocab_size: int
    defaults: Mapping[str, Any]
    """Sampling parameters that the model's folder states."""
    tokenizer: Tokenizer | None = None


def facts_of(llm: LLM) -> Facts:
    """Return the facts of an LLM."""
    config, runner = llm.manager.config, llm.engine.runner
    return Facts(
        config.num_blocks,
        config.block_size,
        runner.max_context_len,
        runner.vocab_size,
        llm.defaults,
        llm.tokenizer,
    )
