"""A model with its cache and its tokenizer: prompts in, answers out.

    text or messages ─► token ids ─► Engine ─► token ids ─► text

Read `door.py` for what a caller may ask, `prompts.py` for what counts as a prompt, `answer.py` for
an answer while it grows, and `opening.py` for how a model is found and loaded. This package knows
tokenizers and callers, and the engine knows neither. It does not know batches or blocks.
"""

from radixlab.llm.answer import Answer, Output, Piece
from radixlab.llm.door import BAD_PROMPT, LLM
from radixlab.llm.prompts import Prompt

__all__ = ["BAD_PROMPT", "LLM", "Answer", "Output", "Piece", "Prompt"]
