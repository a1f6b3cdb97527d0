"""How a page comes, or does not, over HTTP: every failure is one line that names the address."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from radixlab.observe.monitor import Monitor, MonitorError, UnreachableError
from radixlab.observe.monitor.fetch import MAX_PAGE_BYTES, metrics_url
from tests.test_cli import Run
from tests.test_cli import run as cli

__all__ = ["cli"]

PAGE = b"# TYPE radixlab:tree_nodes gauge\nradixlab:tree_nodes 3\n"


class Handler(BaseHTTPRequestHandler):
    """Answers as the first part of the path says."""

    def do_GET(self) -> None:
        self.server.keys.append(self.headers.get("Authorization"))
        how = self.path.split("/")[1]
        if how.isdecimal():
            return self._send(int(how), b"no")
        if how == "away":
            return self._send(302, b"", Location="http://127.0.0.1:9/metrics")
        if how == "slash" and not self.path.endswith("/"):
            return self._send(307, b"", Location=self.path + "/")
        bodies = {"short": PAGE, "bytes": b"\xff\xfe\n", "large": b"#" * (MAX_PAGE_BYTES + 1)}
        bodies |= {"html": b"<html></html>\n", "cut": PAGE[:-3], "nothing": b""}
        body = bodies.get(how, PAGE)
        length = len(body) + 10 if how == "short" else len(body)
        self._send(200, body, length)

    def _send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.keys = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


FAILURES = {
    "401": "give the server's key",
    "403": "give the operator's key with --api-key or RADIXLAB_OPERATOR_KEY",
    "404": "no such page (404); SGLang has one with --enable-metrics",
    "500": "answered 500 Internal Server Error",
    "503": "answered 503",
    "away": "redirects to another server",
    "short": "cut off after",
    "bytes": "not text (byte 0 is not UTF-8)",
    "large": "more than 16,777,216 bytes",
    "html": "not in Prometheus' text format",
    "cut": "cut off",
    "nothing": "the page is empty",
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_page_that_does_not_come_is_one_line(server, cli: Run, how: str) -> None:
    done = cli("monitor", f"{server.url}/{how}", "--once", "--api-key", "secret")
    assert done.code == 2 and done.out == ""
    assert done.err.startswith(f"error: {server.url}/{how}/metrics: ")
    assert FAILURES[how] in done.err and done.err.count("\n") == 1
    assert "secret" not in done.err


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/metrics", "/slash"])
def test_a_page_is_found_below_what_people_type(server, path: str) -> None:
    report = Monitor(server.url + path, api_key="secret").look()
    assert report.figures.tree_nodes == 3
    assert server.keys[-1] == "Bearer secret"


@pytest.mark.parametrize("more", [(), ("--json",), ("--window", "0.1")])
def test_an_interval_without_a_second_look_is_refused_by_name(server, cli: Run, more) -> None:
    num_asked = len(server.keys)
    done = cli("monitor", server.url, "--once", "--interval", "2", *more)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert "--interval" in done.err and "--once" in done.err
    assert len(server.keys) == num_asked


def test_nobody_listens() -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1/metrics: cannot be reached"):
        Monitor("127.0.0.1:1").look()


@pytest.mark.parametrize("url", ["", "http://", "ftp://host", "host:99999", "http://host:x", "::"])
def test_what_is_not_an_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(MonitorError, match="is not the address of a server"):
        metrics_url(url)


def test_the_live_json_goes_on_when_a_look_fails(server, monkeypatch, capsys) -> None:
    from radixlab.cli import monitor as command

    pages = iter([PAGE.decode(), "<html>", PAGE.decode()])
    watched = Monitor(lambda: next(pages))
    monkeypatch.setattr(command.time, "sleep", lambda _: None)
    with pytest.raises(StopIteration):
        command._print_for_ever(watched, 1.0)
    shown = capsys.readouterr()
    assert shown.out.count('"engine": "radixlab"') == 2
    assert shown.err.startswith("note: ") and shown.err.count("\n") == 1
