import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PEERS = os.environ.get("RADIXLAB_PEERS")
LAUNCHERS = {"vllm": "vllm", "sglang": "sglang"}
BRIDGED = {"vllm-radixlab": "vllm", "sglang-radixlab": "sglang"}
"""The same engines with parts of ours, launched by hand (docs/bridge.md)."""
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
needs_peers = pytest.mark.skipif(not PEERS, reason="RADIXLAB_PEERS names no unpacked wheels")


def launcher(engine):
    return (DEPLOY / "engines" / f"{engine}.sh").read_text(encoding="utf-8")


def command(engine):
    """The lines that run, without the comments."""
    return [line for line in launcher(engine).splitlines() if not line.startswith("#")]


def source_of(engine):
    folder = Path(PEERS) / engine
    files = [*folder.rglob("*.py")]
    assert files, f"{folder} holds no wheel"
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


@pytest.mark.parametrize("engine", ["radixlab", *LAUNCHERS, *BRIDGED])
def test_every_flag_that_is_given_is_explained_where_it_matters(engine):
    given = set(re.findall(r"--[a-z][\w-]+", " ".join(command(engine))))
    told = set(re.findall(r"^#   (--[a-z][\w-]+)", launcher(engine), re.MULTILINE))
    plain = {"--host", "--port", "--enable-prefix-caching", "--model-path"}
    assert given - plain == told


@needs_peers
@pytest.mark.parametrize("name", [*LAUNCHERS, *BRIDGED])
def test_every_flag_is_in_the_wheel_of_the_version_named(name):
    engine, launched = BRIDGED.get(name, name), launcher(name)
    text = source_of(engine)
    for flag in set(re.findall(r"--[a-z][\w-]+", launched)):
        field = flag[2:].removeprefix("no-").replace("-", "_")
        assert f'"{flag}"' in text or re.search(rf"^    {field}: ", text, re.MULTILINE), flag
    versions = [p.name for p in Path(PEERS).glob(f"{engine}-*.dist-info")]
    assert any(version.split("-")[1].removesuffix(".dist") in launched for version in versions)


@needs_peers
@pytest.mark.parametrize("engine", LAUNCHERS)
def test_every_metric_of_the_rules_is_in_the_wheel(engine):
    rules = (DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8")
    text = source_of(engine)
    read = set(re.findall(rf"{engine}:\w+", rules))
    assert len(read) >= 8
    for name in read:
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        assert f'"{plain}"' in text or f'"{plain.removesuffix("_total")}"' in text, name


def test_every_metric_of_the_rules_and_the_dashboard_is_one_that_our_server_publishes():
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    from radixlab.observe.monitor.fetch import fetch
    from radixlab.serve.local import serving
    from radixlab.serve.settings import Settings

    with serving(Settings(num_blocks=16)) as served:
        page = fetch(f"{served.url}/metrics")
    published = set(re.findall(r"radixlab:\w+", page))
    files = ("prometheus/rules.yml", "grafana/dashboards/cache.json")
    text = "".join((DEPLOY / name).read_text(encoding="utf-8") for name in files)
    read = set(re.findall(r"radixlab:\w+", text))
    assert len(read) >= 15
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in read} <= {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in published
    }


def test_every_flag_of_our_launch_file_is_one_of_the_command():
    from radixlab.cli.serve import serve

    known = {option for each in serve.params for option in each.opts}
    assert set(re.findall(r"--[a-z][\w-]+", launcher("radixlab"))) <= known


def test_the_dashboard_is_what_its_script_makes():
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from deploy.dashboard import FILE, text

    committed = FILE.read_text(encoding="utf-8")
    assert committed == text()
    read = Dashboard.from_json(json.loads(committed))  # the schema's own types
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == json.loads(committed)


def test_the_panels_of_the_dashboard_do_not_overlap():
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "cache.json").read_text("utf-8"))
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24 and (x, y) not in taken, panel["title"]
                taken.add((x, y))


def test_compose_mounts_only_what_is_there():
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            assert (DEPLOY / volume.split(":")[0]).exists(), volume
    assert (
        DEPLOY / COMPOSE["services"]["radixlab"]["build"]["context"] / "pyproject.toml"
    ).exists()


def test_compose_needs_one_variable_to_change_the_engine():
    engines = {"radixlab", *LAUNCHERS}
    for engine in engines:
        service = COMPOSE["services"][engine]
        assert service["profiles"] == [engine]
        assert service["networks"]["default"]["aliases"] == ["engine"]
        assert service["entrypoint"][-1] == f"/engines/{engine}.sh"
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["engine:8000"]}]
    env = (DEPLOY / ".env").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert asked <= set(re.findall(r"^(\w+)=", env, re.MULTILINE))


def test_what_was_not_run_says_so():
    assert "Not run here" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert all("Not run here" in launcher(name) for name in BRIDGED)


@pytest.mark.parametrize("policy", ["", "RadixlabYours"])
def test_the_transfer_config_is_what_the_shell_makes_of_it(policy):
    """The launch line is run with an `exec` that prints; every class that is named exists."""
    shell = f"vllm() {{ printf '%s\\n' \"$@\"; }}; POLICY={policy} MODEL=m\n"
    line = "\n".join(command("vllm-radixlab")).replace("exec vllm", "vllm")
    run = subprocess.run(["sh", "-c", shell + line], capture_output=True, text=True, check=True)
    words = run.stdout.splitlines()
    config = json.loads(words[words.index("--kv-transfer-config") + 1])
    extra = config["kv_connector_extra_config"]
    module = (ROOT / extra["cache_policy_module_path"].replace(".", "/")).with_suffix(".py")
    source = module.read_text(encoding="utf-8")
    assert f"class {extra['eviction_policy']}(" in source
    told = set(re.findall(r"Radixlab\w+", launcher("vllm-radixlab")))
    assert told == set(re.findall(r"^class (Radixlab\w+)", source, re.MULTILINE))


def test_every_backend_that_is_named_is_one():
    from radixlab.bridge.plugin import backends

    told = re.findall(r"\bradixlab(?:-[a-z]+)+\b", launcher("sglang-radixlab"))
    assert set(told) <= set(backends()) and "radixlab-yours" in told


@needs_peers
def test_the_settings_of_the_transfer_config_are_read_in_vllm():
    text = source_of("vllm")
    for name in ("eviction_policy", "cache_policy_module_path", "OffloadingConnector", "kv_both"):
        assert f'"{name}"' in text, name
