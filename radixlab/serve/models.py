"""Which model a server loads: the tiny one, SmolLM2, or a folder; and how large its cache is."""

from collections.abc import Callable
from pathlib import Path

from radixlab.cache import POLICIES, CacheConfig
from radixlab.config import ConfigError, SchedulerConfig, shown
from radixlab.llm import LLM
from radixlab.model import smollm2
from radixlab.model.errors import MissingFileError
from radixlab.model.llama import Llama
from radixlab.model.loader import load_model, load_tokenizer
from radixlab.model.tiny import TINY
from radixlab.serve.settings import Settings


def folder_of(model: str | Path) -> Path:
    """Return the folder of a model by its name; raise `MissingFileError` if it is not there."""
    if str(model) == "tiny":
        return TINY
    if str(model) == "smollm2":
        folder = smollm2.default_folder()
        if not smollm2.is_there(folder):
            raise MissingFileError(f"{folder} is not there: fetch it by `radixlab model smollm2`")
        return folder
    if not (Path(model) / "config.json").is_file():
        raise MissingFileError(
            f"{model} is neither tiny nor smollm2, nor a folder with a config.json"
        )
    return Path(model)


def builder(settings: Settings) -> Callable[[], LLM]:
    """Return a function that loads the model; raise for settings that cannot work."""
    folder = folder_of(settings.model)
    if settings.policy not in POLICIES:
        raise ConfigError(
            f"policy must be one of {', '.join(POLICIES)}, not {shown(settings.policy)}"
        )
    scheduler = SchedulerConfig(
        max_running=settings.max_running, max_batch_tokens=settings.max_batch_tokens
    )

    def build() -> LLM:
        model = load_model(folder)
        cache = CacheConfig(
            settings.num_blocks,
            settings.block_size,
            explain=True,
            num_host_blocks=host_blocks(model, settings),
        )
        policy = POLICIES[settings.policy]()
        return LLM(model, load_tokenizer(folder), cache=cache, scheduler=scheduler, policy=policy)

    return build


def host_blocks(model: Llama, settings: Settings) -> int:
    """Return how many blocks of this model's KV the swap space holds."""
    config = model.config
    kv_bytes = 2 * config.num_layers * config.num_kv_heads * config.head_dim
    block_bytes = kv_bytes * model.norm.weight.element_size() * settings.block_size
    if 0 < settings.swap_space < block_bytes:
        raise ConfigError(
            f"swap_space is {settings.swap_space} bytes, but one block of this model has "
            f"{block_bytes}"
        )
    return settings.swap_space // block_bytes
