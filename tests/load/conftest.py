import pytest

pytest.importorskip("openai", reason="openai is not installed: the extra `serve` brings it")
