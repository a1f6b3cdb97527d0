"""Every setting of the server, with its unit: one field for each flag of `radixlab serve`.

This file knows numbers and their bounds. It does not know the code that uses them.
"""

from dataclasses import dataclass
from pathlib import Path

from radixlab.choices import not_one_of
from radixlab.config import CacheConfig, ConfigError, none_or_more, positive, settle, shown

ROUTERS = ("prefix", "round-robin", "power-of-two", "session")
"""Routers to several replicas: ours, and three of Ray Serve's."""
FEEDS = ("events", "prompts")
MOST_REPLICAS = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is reached, how large its cache is, and what it refuses."""

    model: str | Path = "tiny"
    """`tiny`, `smollm2`, or a folder in Hugging Face's format."""
    host: str = "127.0.0.1"
    port: int = 8000
    """0 for any free port."""
    dtype: str = "auto"
    """Of the weights and the KV: auto, float32, float16 or bfloat16."""
    device: str = "cpu"
    """`cpu`, `cuda`, `cuda:1`, or `auto`."""
    threads: int | None = None
    """PyTorch's threads; by default one less than there are cores, or 1 for a small model."""
    max_model_len: int | None = None
    """Most tokens of a prompt with its answer; by default the model's whole context."""
    num_blocks: int = 1024
    block_size: int = 16
    policy: str = "lru"
    """A name of `radixlab.cache.POLICIES`."""
    swap_space: int = 0
    """Bytes of host memory for what is evicted from the device; 0 for no host tier."""
    max_running: int = 64
    max_batch_tokens: int = 2048
    max_queue: int = 256
    """Answers that may wait to be started; further requests get 429."""
    max_body_bytes: int = 4 * 2**20
    """Largest body of a request; a larger one gets 413."""
    max_answers: int = 128
    """Most answers to one request: its prompts times its `n`."""
    max_unread_tokens: int = 1024
    """Tokens that one request may keep for a reader that does not fetch them; more ends it."""
    request_timeout: float = 600.0
    """Seconds from a request's arrival to the end of its answer."""
    drain_timeout: float = 30.0
    """Seconds that running requests get to finish after SIGTERM."""
    api_key: str | None = None
    """What clients must send as `Authorization: Bearer …`; None for an open server."""
    operator_key: str | None = None
    """What metrics, reset and debug need in place of `api_key`; it opens all the rest too."""
    served_model_name: tuple[str, ...] = ()
    """The names by which clients ask for the model; by default one, from `model`."""
    kv_events: str | None = None
    """A ZMQ endpoint on which to publish what the cache stores and removes."""
    kv_events_replay: str | None = None
    """A ZMQ endpoint that sends missed events again."""
    log_json: bool = False
    """Write the access log as JSON."""
    log_prompts: Path | None = None
    """A file that gets the body and the usage of every answered request, one JSON object a line."""
    debug: bool = False
    """Offer `GET /debug/cache`."""
    replicas: int = 1
    """Engines; above 1 each has a process and a cache of its own, under Ray Serve."""
    router: str | None = None
    """Who chooses a replica: a name of `ROUTERS`; by default "prefix"."""
    route_by: str | None = None
    """What the prefix router learns from: "events" of the caches (default), or routed "prompts"."""

    def __post_init__(self) -> None:
        for name in ("max_queue", "max_body_bytes", "max_answers", "max_unread_tokens"):
            settle(self, name, positive(name, getattr(self, name)))
        settle(self, "port", none_or_more("port", self.port, 65535))
        settle(self, "swap_space", none_or_more("swap_space", self.swap_space))
        for name in ("request_timeout", "drain_timeout"):
            settle(self, name, _seconds(name, getattr(self, name)))
        for name in ("max_model_len", "threads"):
            if getattr(self, name) is not None:
                settle(self, name, positive(name, getattr(self, name)))
        CacheConfig(self.num_blocks, self.block_size)
        for name in ("api_key", "operator_key"):
            key = getattr(self, name)
            if key is not None and not (key and key.isprintable()):
                raise ConfigError(f"{name} must be printable text, at least one character")
        if self.operator_key is not None and self.operator_key == self.api_key:
            raise ConfigError("operator_key must differ from api_key, which every client has")
        if isinstance(self.served_model_name, str):
            settle(self, "served_model_name", (self.served_model_name,))
        if not all(type(name) is str and name for name in self.served_model_name):
            raise ConfigError(
                f"served_model_name must be non-empty names, not {shown(self.served_model_name)}"
            )
        settle(self, "replicas", positive("replicas", self.replicas, MOST_REPLICAS))
        check_replicas(self)
        if self.kv_events_replay and not self.kv_events:
            raise ConfigError("kv_events_replay needs kv_events: there is nothing to send again")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the model; the first one stands in the answers."""
        return self.served_model_name or (Path(self.model).name or "model",)


def check_replicas(settings: Settings) -> None:
    """Refuse what has no effect without replicas, or with them."""
    given = {"router": settings.router, "route_by": settings.route_by}
    for (name, value), known in zip(given.items(), (ROUTERS, FEEDS), strict=True):
        if value is not None and value not in known:
            raise ConfigError(f"{name} {not_one_of(value, known)}")
        if value is not None and settings.replicas == 1:
            raise ConfigError(f"{name} needs replicas above 1: there is nothing to choose from")
    if settings.route_by is not None and settings.router not in (None, "prefix"):
        raise ConfigError(f"route_by is for the prefix router: {settings.router} learns nothing")
    if settings.replicas > 1:
        if settings.kv_events is not None:
            raise ConfigError("kv_events is one cache's stream: it cannot be used with replicas")
        if settings.device != "cpu":
            raise ConfigError(f"replicas run on the CPU: device is {shown(settings.device)}")


def _seconds(name: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < float(value) < 1e9:  # type: ignore[arg-type]
        raise ConfigError(f"{name} must be seconds above 0, not {shown(value)}")
    return float(value)  # type: ignore[arg-type]
