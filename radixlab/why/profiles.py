"""What a provider's or an engine's cache can find: the shortest prefix, and where one may end.

| profile | minimum | step | where a prefix may end | source, read on 28 November 2026 |
|---|---|---|---|---|
| none | – | 16 tokens | at every block | our engine's default |
| `openai` | 1,024 | 128 | at every step | OpenAI's guide "Prompt caching" |
| `anthropic` | by model | 1 | at `cache_control` | Anthropic's guide "Prompt caching" |
| `vllm` | – | 16 | at every block | vLLM 0.33.0: `--block-size` |
| `sglang` | – | 1 | at every token | SGLang 0.5.23: `--page-size`, by default 1 |

Providers change these numbers. Whoever knows better can make a `Profile` of their own.
"""

from dataclasses import dataclass

from radixlab.choices import not_one_of
from radixlab.config import ConfigError, positive
from radixlab.why.errors import WhyError

ANTHROPIC_MINIMUM = (
    ("opus-4-5", 4096),
    ("opus-4-6", 4096),
    ("haiku-4-5", 4096),
    ("sonnet-4-6", 2048),
    ("haiku", 2048),
)
"""Tokens by a part of the model's name, the first that fits; 1,024 for all others."""
LOOKBACK_PARTS = 20
"""Anthropic looks for an earlier end at most so many content blocks before a breakpoint."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one cache."""

    name: str
    block_size: int = 16
    """Prefixes are kept in blocks of so many tokens."""
    step: int = 1
    """Blocks count as found in steps of so many tokens; at least a block."""
    minimum: int = 0
    """A shorter prefix is not found at all."""
    breakpoints: bool = False
    """Whether only prefixes that end where the caller says so are kept."""

    def usable(self, num_tokens: int, minimum: int | None = None) -> int:
        """Return how many tokens of a shared prefix are found.

        >>> Profile("openai", step=128, minimum=1024).usable(1300)
        1280
        """
        least = self.minimum if minimum is None else minimum
        return 0 if num_tokens < least else num_tokens - num_tokens % max(self.step, 1)

    def minimum_for(self, scope: tuple[tuple[str, str], ...]) -> int:
        """Return the minimum prefix for requests of a scope, which names the model."""
        if self.name != "anthropic":
            return self.minimum
        model = dict(scope).get("model", "").replace(".", "-")
        return next((least for part, least in ANTHROPIC_MINIMUM if part in model), self.minimum)


PROFILES = {
    "openai": Profile("openai", block_size=16, step=128, minimum=1024),
    "anthropic": Profile("anthropic", block_size=1, minimum=1024, breakpoints=True),
    "vllm": Profile("vllm", block_size=16),
    "sglang": Profile("sglang", block_size=1),
}


def profile_of(name: str | Profile | None, block_size: int = 16) -> Profile:
    """Return a profile by name; None is blocks of `block_size` and nothing else."""
    try:
        size = positive("block_size", block_size, 2**20)
    except ConfigError as error:
        raise WhyError(str(error)) from None
    if name is None:
        return Profile("none", block_size=size)
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise WhyError(f"profile {not_one_of(name, sorted(PROFILES))}")
    return PROFILES[name]
