"""A real Prometheus scrapes three engines' scripted expositions, and answers the dashboard."""

import json
import re
import shutil
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from tests.deploy.series import COUNTERS, ENGINES, HEALTHY, INCIDENTS, NAMES

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "cache.json").read_text("utf-8"))
QUERIES = sorted({t["expr"] for panel in BOARD["panels"] for t in panel.get("targets", ())})
PATIENCE_S = 240
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed"
)


class Engine:
    """One engine's exposition; each scrape finds it one second of traffic further on."""

    def __init__(self, name, change):
        self.name, self.change = name, change
        self.totals = dict.fromkeys(COUNTERS, 0.0)
        self.is_hit = False

    def exposition(self):
        now = {**HEALTHY, **(self.change if self.is_hit else {})}
        for meaning in COUNTERS:
            self.totals[meaning] += now[meaning] / 60
        found = ((NAMES[meaning].get(self.name), meaning) for meaning in HEALTHY)
        values = ((name, self.totals.get(what, now[what])) for name, what in found if name)
        return "".join(f"{name} {value}\n" for name, value in values)


class Page(BaseHTTPRequestHandler):
    """Serves /INCIDENT/ENGINE."""

    def do_GET(self):
        engine = self.server.engines[self.path]
        if engine.is_hit and engine.change.get("up") == 0:
            self.send_error(500)
            return
        body = engine.exposition().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    incidents = {"Healthy": ({}, None), **INCIDENTS}
    server.engines = {
        f"/{incident}/{engine}": Engine(engine, change)
        for incident, (change, _) in incidents.items()
        for engine in ENGINES
    }
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def rules(scale):
    """Return our rules on a faster clock: 5 minutes take `scale` seconds, an hour 6 × that."""
    text = (DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8")
    text = text.replace("[5m]", f"[{scale}s]").replace("offset 1h", f"offset {6 * scale}s")
    return re.sub(r"for: \d+m", "for: 2s", text)


class Prometheus:
    """A Prometheus of the test's own, in a folder, on a free port."""

    def __init__(self, folder, pages, paths, scale):
        (folder / "rules.yml").write_text(rules(scale), encoding="utf-8")
        host = f"127.0.0.1:{pages.server_port}"
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {
                    "job_name": path.strip("/").replace("/", "_"),
                    "metrics_path": path,
                    "static_configs": [
                        {
                            "targets": [host],
                            "labels": {"instance": path.strip("/"), "job": "engine"},
                        }
                    ],
                }
                for path in paths
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--web.listen-address=127.0.0.1:0",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def url(self):
        """The address that it logs when it listens."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            self.log.seek(0)
            found = re.search(r"Listening on.*?address=(127\.0\.0\.1:\d+)", self.log.read())
            if found:
                return f"http://{found[1]}"
            time.sleep(0.1)
        self.log.seek(0)
        raise AssertionError(self.log.read())

    def ask(self, query):
        """Return the rows of the answer; none while Prometheus still starts."""
        url = f"{self.url()}/api/v1/query?{urlencode({'query': query})}"
        try:
            with urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except HTTPError as error:
            if error.code == 503:
                return []
            raise AssertionError(f"{query}: {error.read()}") from error

    def wait_for(self, query, is_enough):
        """Ask until the answer is enough; the last answer."""
        until = time.monotonic() + PATIENCE_S
        while not is_enough(answer := self.ask(query)) and time.monotonic() < until:
            time.sleep(0.5)
        return answer

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


@pytest.fixture
def prometheus(tmp_path, pages):
    started = []

    def start(paths, scale):
        started.append(Prometheus(tmp_path, pages, paths, scale))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_every_query_of_the_dashboard_returns_data_for_the_engines_that_have_it(prometheus, pages):
    server = prometheus([f"/Healthy/{engine}" for engine in ENGINES], scale=30)
    only_ours = ("radixlab:", "miss_share", "match_blocks")
    for query in QUERIES:
        wanted = {f"Healthy/{e}" for e in ENGINES}
        if any(word in query for word in only_ours):
            wanted = {"Healthy/radixlab"}
        query = query.replace("$instance", ".*").replace("[5m]", "[30s]")
        answer = server.wait_for(
            query, lambda a, w=wanted: {r["metric"]["instance"] for r in a} >= w
        )
        assert {row["metric"]["instance"] for row in answer} == wanted, query
        assert all(row["value"][1] != "NaN" for row in answer), query


@pytest.mark.soak
def test_every_alert_fires_in_its_incident(prometheus, pages):
    server = prometheus(list(pages.engines), scale=10)
    everybody = {path.strip("/") for path in pages.engines}
    rate = "engine:hit_rate:rate5m offset 60s"
    answer = server.wait_for(rate, lambda a: {r["metric"]["instance"] for r in a} == everybody)
    assert {row["metric"]["instance"] for row in answer} == everybody
    for engine in pages.engines.values():
        engine.is_hit = True
    wanted = {
        (alert, f"{alert}/{engine}")
        for alert, (_, engines) in INCIDENTS.items()
        for engine in engines or ENGINES
    }

    def pairs(answer):
        return {(row["metric"]["alertname"], row["metric"]["instance"]) for row in answer}

    fired = 'max_over_time(ALERTS{alertstate="firing"}[10m])'
    answer = server.wait_for(fired, lambda a: pairs(a) >= wanted)
    assert pairs(answer) >= wanted
    assert not [instance for _, instance in pairs(answer) if instance.startswith("Healthy")]
