import pytest


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A learner's folder of the test's own, in a session that is not static."""
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    return tmp_path / "home"
