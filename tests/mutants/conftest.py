import pytest


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("tests.mutants.matrix"):
        config.pluginmanager.import_plugin("tests.mutants.matrix")
