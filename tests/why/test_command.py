"""`radixlab why` from outside: what it prints where, what it refuses, what it writes."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from radixlab.why.spool import one_log
from tests.test_cli import Run, run
from tests.why.reports import BIDI, HOSTILE
from tests.why.test_page import inert

__all__ = ["run"]

RULES = " ".join(f"Rule {k}: the {k * 37 % 101} goes before the {k * 53 % 97}." for k in range(60))
KEYS = [
    *("requests", "skipped_lines", "prompt_tokens", "hit_tokens", "hit_rate"),
    *("reported_hit_rate", "possible_hit_rate", "tokenizer", "causes", "fixes"),
    *("breaks", "branches", "skipped"),
]
CAUSE_KEYS = ["cause", "requests", "tokens_lost", "where", "before", "after"]


def body(system: str, question: str, **more: Any) -> str:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return json.dumps({"model": "m", "messages": messages} | more)


def clocks(num_requests: int = 12) -> str:
    """A log whose only fault is a clock in the first line of the instruction."""
    lines = [
        body(f"It is 09:{k:02}:{k * 7 % 60:02} now.\n{RULES}", f"Question number {k}?")
        for k in range(num_requests)
    ]
    return "\n".join(lines) + "\n"


def clean(num_requests: int = 12) -> str:
    return "\n".join(body(RULES, f"Question number {k}?") for k in range(num_requests)) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    path.write_text(clocks(), "utf-8")
    return path


def test_the_table_names_the_clock_its_place_and_the_gain(run: Run, log: Path) -> None:
    done = run("why", log)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("prompts.jsonl: 12 requests, ")
    lines = done.out.splitlines()
    assert next(line for line in lines if line.startswith("volatile value"))
    assert "line 1, character 7" in done.out and "09:0" in done.out
    assert lines[lines.index("fixes, by measured gain") + 1].startswith(" 1. +")
    assert "Volatile value costs most" in done.out


def test_json_has_these_keys_and_is_stable(run: Run, log: Path) -> None:
    first, second = run("why", log, "--json"), run("why", log, "--json")
    assert first == second and (first.code, first.err) == (0, "")
    report = json.loads(first.out)
    assert list(report) == KEYS
    assert all(list(cause) == CAUSE_KEYS for cause in report["causes"])
    assert all(list(fix) == ["fix", "cause", "hit_rate", "gain"] for fix in report["fixes"])
    lost = sum(cause["tokens_lost"] for cause in report["causes"])
    assert report["hit_tokens"] + lost == report["prompt_tokens"]
    assert report["hit_rate"] == report["hit_tokens"] / report["prompt_tokens"]
    assert report["skipped_lines"] == 0 and report["reported_hit_rate"] is None
    assert report["causes"][0]["cause"] == report["fixes"][0]["cause"] == "volatile_value"


def test_prices_put_a_cost_on_each_cause(run: Run, log: Path) -> None:
    report = json.loads(run("why", log, "--json", "--price", 2.5, "--cached-price", 0.5).out)
    for cause in report["causes"]:
        assert cause["cost"] == pytest.approx(cause["tokens_lost"] * 2 / 1e6)
    header = next(
        line for line in run("why", log, "--price", 3).out.splitlines() if line.startswith("cause ")
    )
    assert header.split()[-1] == "cost"


@pytest.mark.parametrize(
    "log_text, rate, code", [(clocks(), 0.6, 1), (clean(), 0.6, 0), (clean(), 1, 1), ("\n", 0, 1)]
)
def test_fail_under_guards_a_prompt(
    run: Run, tmp_path: Path, log_text: str, rate: float, code: int
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(log_text, "utf-8")
    done = run("why", path, "--fail-under", rate, "--json")
    assert done.code == code and json.loads(done.out)["requests"] >= 0
    assert len(done.err.splitlines()) == code
    if code and log_text.strip():
        assert f"is below --fail-under {rate:g}" in done.err


def test_html_is_written_whole_and_told_on_stderr(run: Run, log: Path, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    done = run("why", log, "--html", html, "--json")
    assert done.code == 0 and json.loads(done.out)
    assert done.err.startswith(f"{html}: ") and done.err.endswith(" kB\n")
    text = html.read_text("utf-8")
    assert "Volatile value costs most" in text and text.endswith("</html>\n")
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "prompts.jsonl"}


def test_no_text_leaves_no_text_of_a_prompt_anywhere(run: Run, tmp_path: Path) -> None:
    secret = [f"zq{k}xj secret{k} phrase" for k in range(8)]
    tools = [{"type": "function", "function": {"name": f"tool{k}", "description": secret[k],
              "parameters": {"type": "object", "properties": {}}}} for k in range(3)]  # fmt: skip
    lines = [
        body(
            f"{secret[3]} {k * 7919}\n{secret[4] * 40}",
            secret[5],
            tools=tools[k % 3 :] + tools[: k % 3],
        )
        for k in range(6)
    ]  # fmt: skip
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, f"{secret[6]} not JSON"]), "utf-8")
    html = tmp_path / "r.html"
    done = run("why", tmp_path / "log.jsonl", "--no-text", "--json", "--html", html)
    said = [done.out, done.err, html.read_text("utf-8")]
    said.append(run("why", tmp_path / "log.jsonl", "--no-text").out)
    assert done.code == 0 and json.loads(done.out)["causes"]
    for text in said:
        assert "zq" not in text and "secret" not in text and "phrase" not in text
    assert "secret" in run("why", tmp_path / "log.jsonl", "--json").out


def test_hostile_prompts_are_shown_and_never_executed(run: Run, tmp_path: Path) -> None:
    path, html = tmp_path / "log.jsonl", tmp_path / "r.html"
    lines = [
        body(f"{text} {number} {text}\n{RULES}", text, tools=[{"type": "function", "function": {
            "name": text[:40], "description": text, "parameters": {text[:40]: number}}}])
        for text in HOSTILE.values()
        for number in (1, 2)
    ]  # fmt: skip
    path.write_text("\n".join(lines), "utf-8")
    done = run("why", path, "--html", html)
    assert done.code == 0 and "2 of" not in done.err
    skipped = [line for line in done.err.splitlines() if line.startswith("skipped: ")]
    assert len(skipped) == 4 and all("half of a character" in line for line in skipped)
    inert(html.read_text("utf-8"))
    for said in (done.out, done.err, run("why", path, "--json").out):
        assert not any(c in said for c in [*BIDI, "\x00", "\x07", "\x1b", "\u2028"])


def test_bad_lines_are_named_and_the_rest_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("not JSON\n" + clean(3) + "[1, 2]\n\x1b[2J\n", "utf-8")
    done = run("why", path)
    assert done.code == 0 and done.out.startswith("log.jsonl: 3 requests")
    lines = done.err.splitlines()
    assert [line.split(":")[:2] for line in lines] == [
        ["skipped", f" line {number}"] for number in (1, 5, 6)
    ]
    assert "\x1b" not in done.err


def test_many_bad_lines_are_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(clean(2) + "x\n" * 500, "utf-8")
    done = run("why", tmp_path / "log.jsonl")
    assert len(done.err.splitlines()) == 11
    assert done.err.splitlines()[-1] == "skipped: 490 more lines"


def test_several_logs_are_one_log_and_lines_are_counted_through(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    first.write_text(clocks(4).strip(), "utf-8")  # without a last line end
    second.write_bytes(gzip.compress(clocks(9).encode()))
    done = run("why", first, second, "--json")
    assert done.code == 0
    assert done.err.splitlines() == [
        "note: a.jsonl: lines 1 to 4",
        "note: b.jsonl.gz: lines 5 to 13",
    ]
    both = tmp_path / "both.jsonl"
    both.write_text(clocks(4) + clocks(9), "utf-8")
    assert json.loads(done.out) == json.loads(run("why", both, "--json").out)


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_a_log_too(run: Run, log: Path, monkeypatch: Any, packed: bool) -> None:
    data = gzip.compress(log.read_bytes()) if packed else log.read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    done = run("why", "-", "--json")
    assert done.code == 0 and json.loads(done.out) == json.loads(run("why", log, "--json").out)


def test_the_examples_are_logs_by_name(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    desk = json.loads(run("why", "support-desk", "--json").out)
    agent = json.loads(run("why", "coding-agent", "--json").out)
    assert desk["causes"][0]["cause"] == "volatile_value"
    assert agent["causes"][0]["cause"] == "order_changed"
    (tmp_path / "support-desk").write_text(clean(2), "utf-8")  # a file of that name goes first
    assert json.loads(run("why", "support-desk", "--json").out)["requests"] == 2


def test_a_spool_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(clean(2), "utf-8")
    with one_log([str(tmp_path / "a"), str(tmp_path / "b")]) as log:
        path = log.path
        assert log.name == "a, b"
        assert path.parent.stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert not path.exists() and not path.parent.exists()


MISTAKES = {
    "no log": ([], "Missing argument 'LOG.jsonl...'"),
    "a missing log": (["{tmp}/none.jsonl"], "none.jsonl: "),
    "a folder": (["{tmp}"], "s a directory"),
    "a missing log among others": (["{log}", "{tmp}/none.jsonl"], "none.jsonl"),
    "a broken gz among others": (["{log}", "{tmp}/broken.gz"], "gz file"),
    "cached price alone": (
        ["{log}", "--cached-price", "1"],
        "--cached-price has no effect without",
    ),
    "a dear hit": (["{log}", "--price", "1", "--cached-price", "2"], "--cached-price 2 is above"),
    "a price below 0": (["{log}", "--price", "-1"], "'-1' is not 0 or more"),
    "a price of nothing": (["{log}", "--price", "nan"], "'nan' is not 0 or more"),
    "a price of words": (["{log}", "--price", "much"], "'much' is not a number"),
    "a rate over 1": (["{log}", "--fail-under", "60"], "'60' is not between 0 and 1"),
    "a rate of NaN": (["{log}", "--fail-under", "nan"], "'nan' is not between 0 and 1"),
    "no time": (["{log}", "--ttl", "soon"], "'soon' is not a time"),
    "a time of 0": (["{log}", "--ttl", "0m"], "'0m' is not a time above 0"),
    "an unknown profile": (["{log}", "--profile", "bard"], "'bard' is not one of"),
    "a profile's own blocks": (
        ["{log}", "--profile", "openai", "--block-size", "8"],
        "--block-size has no effect with --profile openai",
    ),
    "a time without times": (["{log}", "--ttl", "5m"], "--ttl has no effect: the log's requests"),
    "a tokenizer for ids": (
        ["{tmp}/ids.jsonl", "--tokenizer", "tiny"],
        "--tokenizer has no effect: the log has token ids",
    ),
    "blocks of nothing": (["{log}", "--block-size", "0"], "--block-size"),
    "no blocks": (["{log}", "--num-blocks", "0"], "--num-blocks"),
    "no requests": (["{log}", "--limit", "0"], "--limit"),
    "a tokenizer that is not there": (["{log}", "--tokenizer", "{tmp}/none"], "tokenizer '"),
    "a folder without tokenizer": (["{log}", "--tokenizer", "{tmp}"], ""),
    "a page of another kind": (["{log}", "--html", "r.pdf"], "must end in .html"),
    "a page into nowhere": (["{log}", "--html", "{tmp}/none/r.html"], "there is no folder"),
}


@pytest.mark.parametrize("arguments, says", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(
    run: Run, tmp_path: Path, log: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "ids.jsonl").write_text('{"token_ids": [1, 2, 3]}\n', "utf-8")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(clocks().encode())[:-30])
    done = run("why", *(word.format(tmp=tmp_path, log=log) for word in arguments))
    assert done.code == 2 and says in done.err, done
    assert len(done.err.splitlines()) == 1 and not done.out


def test_limit_reads_the_first_requests(run: Run, log: Path, tmp_path: Path) -> None:
    assert run("why", log, "--limit", 5).out.startswith("prompts.jsonl: 5 requests")


def test_help_shows_examples_that_are_commands(run: Run) -> None:
    done = run("why", "--help")
    assert done.code == 0 and "radixlab why prompts.jsonl --html report.html" in done.out
    for option in ("--json", "--html", "--fail-under", "--no-text", "--price", "--cached-price",
                   "--profile", "--block-size", "--num-blocks", "--ttl", "--tokenizer",
                   "--limit"):  # fmt: skip
        assert option in done.out


@pytest.mark.skipif(os.name == "nt", reason="signals are sent in another way there")
def test_ctrl_c_is_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    command = [
        sys.executable,
        "-m",
        "radixlab",
        "why",
        str(pipe),
        "--html",
        str(tmp_path / "r.html"),
    ]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    with process, pipe.open("w") as end:  # opens when the command reads
        end.write(clean(2))
        end.flush()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "interrupted")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.jsonl"]


def test_it_runs_where_only_the_base_packages_are(log: Path) -> None:
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"matplotlib", "PIL", "rich", "jinja2", "torch", "graphviz",
                                  "IPython", "tiktoken", "tokenizers", "fastapi", "msgpack"}}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refuse())
from radixlab.cli import main
main(["why", {str(log)!r}, "--html", {str(log.with_suffix(".html"))!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "volatile value" in done.stdout, done.stderr
