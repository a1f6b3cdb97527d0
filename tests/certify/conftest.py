import pytest

pytest.importorskip("httpx", reason="httpx is not installed: the extra `serve` brings it")
pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    torch = pytest.importorskip("torch", reason="torch is not installed: `model` brings it")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
