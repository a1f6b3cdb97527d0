"""What a simulated replica can do: the constants of the wind tunnel, and where they come from.

The default replica is a model of 70 billion parameters in FP8 on two H100 with 80 GB each. The
figures are round because they follow from data sheets and not from a measurement:

- *cache*: 160 GB less 70 GB of weights and 10 GB of everything else are 80 GB of KV. A token has
  80 layers · 8 heads · 128 · 2 values of one byte, 164 KB: 488,000 tokens.
- *prompt*: two operations a parameter, 140 GFLOP a token. Half of what two H100 do in 16 bits
  (2 · 990 TFLOP/s) are 7,000 tokens a second.
- *answer*: a token reads the weights, 70 GB at 6.7 TB/s, and the KV of the batch, about as much:
  with what is lost between layers, 25 ms.
- *slots*: 32 requests of 12,000 tokens, the mean of the conversation trace, fill most of the cache.
"""

from dataclasses import dataclass
from math import isfinite

from radixlab.config import positive, shown
from radixlab.route.errors import RouteError

CACHE_TOKENS = 488_000
PREFILL_TOKENS_PER_S = 7_000.0
DECODE_S_PER_TOKEN = 0.025
NUM_SLOTS = 32
EVENT_DELAY_S = 0.1
"""From a change of the cache to the router: a step of the engine, the network, a queue."""


@dataclass(frozen=True, slots=True)
class ReplicaModel:
    """A replica: its memory, and its speed."""

    cache_tokens: int = CACHE_TOKENS
    """Tokens that the KV pool holds; running requests and cached prefixes share it."""
    prefill_tokens_per_s: float = PREFILL_TOKENS_PER_S
    """Prompt tokens computed in a second. One prompt is computed at a time, in order of arrival."""
    decode_s_per_token: float = DECODE_S_PER_TOKEN
    """Seconds from one token of an answer to the next, whatever else runs."""
    num_slots: int = NUM_SLOTS
    """Most requests that run at the same time."""
    event_delay_s: float = EVENT_DELAY_S
    """Seconds until the router hears of a change in the cache."""

    def __post_init__(self) -> None:
        positive("cache_tokens", self.cache_tokens)
        positive("num_slots", self.num_slots)
        for name, least in (("prefill_tokens_per_s", 1e-9), ("decode_s_per_token", 0.0),
                            ("event_delay_s", 0.0)):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, int | float) or not isfinite(value) or value < least:
                bounds = "above 0" if least else "of at least 0"
                raise RouteError(f"{name} must be a finite number {bounds}, not {shown(value)}")
