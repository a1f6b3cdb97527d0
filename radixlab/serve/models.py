"""Which model a server loads, with which cache, and who else hears the cache's events."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from radixlab.cache import POLICIES, CacheConfig, KVCacheManager
from radixlab.choices import not_one_of
from radixlab.config import ConfigError, SchedulerConfig
from radixlab.events import Emit
from radixlab.llm import LLM
from radixlab.llm.door import MakeManager
from radixlab.llm.opening import as_device, as_dtype, open_model
from radixlab.model.llama import Llama
from radixlab.model.named import find_folder
from radixlab.openmp import num_cores
from radixlab.serve.settings import Settings

SMALL_MODEL = 10**7
"""Below this number of parameters, PyTorch computes with one thread: a product of small matrices
takes less time than threads need to meet."""


def builder(settings: Settings, manager: MakeManager = KVCacheManager) -> Callable[[], LLM]:
    """Return a function that loads the model; raise at once for settings that cannot work.

    `manager` makes the cache's manager, as in `LLM`.
    """
    folder = find_folder(settings.model)
    as_dtype(settings.dtype)
    as_device(settings.device)
    if settings.policy not in POLICIES:
        raise ConfigError(f"policy {not_one_of(settings.policy, POLICIES)}")
    scheduler = SchedulerConfig(
        max_running=settings.max_running, max_batch_tokens=settings.max_batch_tokens
    )

    def build() -> LLM:
        opened = open_model(folder, None, settings.dtype, settings.device)
        torch.set_num_threads(settings.threads or num_threads(opened.model))
        return LLM(
            opened.model,
            opened.tokenizer,
            defaults=opened.defaults,
            max_model_len=settings.max_model_len,
            cache=CacheConfig(
                settings.num_blocks,
                settings.block_size,
                explain=True,
                num_host_blocks=host_blocks(opened.model, settings),
            ),
            scheduler=scheduler,
            policy=POLICIES[settings.policy](),
            manager=manager,
        )

    return build


def num_threads(model: Llama) -> int:
    """Return how many threads compute a model, unless a setting or OMP_NUM_THREADS says it.

    One core is left to the event loop: threads meet after every operation, so all of them wait for
    one that has to share its core.
    """
    if sum(each.numel() for each in model.parameters()) < SMALL_MODEL:
        return 1
    return torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else max(1, num_cores() - 1)


def threads() -> str:
    """Say how many threads compute, once the model is loaded."""
    num = torch.get_num_threads()
    return f", {num} thread{'' if num == 1 else 's'} of PyTorch,"


def host_blocks(model: Llama, settings: Settings) -> int:
    """Return how many blocks of this model's KV the swap space holds."""
    config = model.config
    numbers_per_token = 2 * config.num_layers * config.num_kv_heads * config.head_dim
    block_bytes = numbers_per_token * model.norm.weight.element_size() * settings.block_size
    if 0 < settings.swap_space < block_bytes:
        raise ConfigError(
            f"swap_space is {settings.swap_space} bytes, but one block of this model has "
            f"{block_bytes}"
        )
    return settings.swap_space // block_bytes


@contextmanager
def publishing(settings: Settings) -> Iterator[Emit | None]:
    """Yield a listener that publishes KV events, if the settings ask for one, and close it."""
    if settings.kv_events is None:
        yield None
        return
    from radixlab.observe.kv_events import Publisher

    publisher = Publisher(
        settings.kv_events, settings.kv_events_replay, block_size=settings.block_size
    )
    with publisher:
        yield publisher
