"""Random requests made from the server's own OpenAPI document: no 500, no hang, no surprise."""

import os
import subprocess
import sys

import pytest

from tests.serve.helpers import idle, served

pytest.importorskip("schemathesis", reason="schemathesis is not installed: the extra `dev` has it")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


def attack(folder, *options):
    """Let schemathesis attack a server; return what it said."""
    limits = {"max_queue": 64, "request_timeout": 20.0, "max_answers": 8, "max_model_len": 96}
    with served(debug=True, **limits) as client:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{client.url}/openapi.json"),
            *("--checks", ",".join(CHECKS), "--request-timeout", "30", "--no-color"),
            *("--seed", "1", "--workers", "1", *options),
        ]
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert client.server.llm.state == "ready"
        assert idle(client)
    return done.stdout


def test_requests_made_from_the_document_are_answered_as_it_says(tmp_path):
    assert "passed" in attack(tmp_path, "--max-examples", "4", "--phases", "examples,fuzzing")


@pytest.mark.soak
def test_five_minutes_of_them(tmp_path):
    assert "passed" in attack(tmp_path, "--max-examples", "100000", "--max-time", "300")
