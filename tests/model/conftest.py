import importlib.util

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny tensors are no work for many threads, least of all beside other test processes."""
    if not importlib.util.find_spec("torch"):  # the language of the tiny model needs none
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
