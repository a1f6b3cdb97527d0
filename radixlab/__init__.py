"""radixlab: a RadixAttention KV-cache engine to watch, break and build.

    from radixlab import LLM, SamplingParams

    llm = LLM("tiny")
    print(llm.generate("Who is here?", SamplingParams(max_tokens=8))[0].text)

Start reading at `radixlab.cache.manager`, the one door to the cache; `radixlab.cache.tree` is the
idea behind it. `LLM` is imported when it is first used: the cache needs neither torch nor a model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radixlab.llm import LLM
    from radixlab.model.params import SamplingParams

__version__ = "0.1.0"
__all__ = ["LLM", "SamplingParams", "__version__"]

_HOMES = {"LLM": "radixlab.llm", "SamplingParams": "radixlab.model.params"}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'radixlab' has no attribute {name!r}")
    if name == "LLM":
        import_module("radixlab.attention")  # says what to install if torch is missing
    return getattr(import_module(_HOMES[name]), name)
