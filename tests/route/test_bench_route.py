"""`radixlab bench route` as a program: table, JSON, picture, and one line for a mistake."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from radixlab.bench.route import Trial, run_trial
from radixlab.cli import main
from radixlab.route.rules import RULES
from radixlab.route.wind import ReplicaModel

SMALL = ["--traffic", "multi-turn-chat", "--requests", "60", "--replicas", "3", "--jobs", "1"]


@contextmanager
def silent(total: int, what: str, unit: str):
    yield lambda number: None


def run(capsys, *words):
    with pytest.raises(SystemExit) as done:
        main(["bench", "route", *map(str, words)])
    out, err = capsys.readouterr()
    return done.value.code, out, err


def test_it_prints_a_row_for_each_rule_and_draws_them(capsys, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `lab` brings it")
    plot, results = tmp_path / "route.png", tmp_path / "RESULTS.md"
    code, out, err = run(capsys, *SMALL, "--plot", plot, "--write", results, "--json")
    report = json.loads(out)
    assert (code, err) == (0, "") and [row["rule"] for row in report["rows"]] == list(RULES)
    assert all(0 < row["hit rate"] < 1 <= row["busiest ÷ mean"] for row in report["rows"])
    assert {row["hit rate"] for row in report["nothing-shared"]} == {0}
    busiest = {row["rule"]: row["busiest ÷ mean"] for row in report["one-hot-prefix"]}
    assert busiest["ray-affinity"] > 1.5 > busiest["ours-events"]
    assert report["command"].startswith("radixlab bench route --traffic multi-turn-chat")
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert "<!-- begin bench route -->" in results.read_text()


MISTAKES = {
    "no rule": (["--rules", ""], "rule '' is not one of round-robin"),
    "a comma": (["--rules", "dynamo,"], "rule '' is not one of round-robin"),
    "negative delay": (["--event-delay-ms", "-1"], "--event-delay-ms"),
    "twice": (["--rules", "dynamo,dynamo"], "a rule is named twice in 'dynamo,dynamo'"),
    "traffic": (["--traffic", "no/such.jsonl"], "no/such.jsonl: No such file"),
    "replicas": (["--replicas", "0"], "--replicas"),
    "load": (["--load", "0"], "--load"),
    "delay": (["--event-delay-ms", "-5"], "--event-delay-ms"),
    "prefill": (["--prefill", "nan"], "prefill_tokens_per_s must be a finite number"),
    "picture": (["--plot", "route.txt"], "must end in .png or .svg or .pdf"),
    "folder": (["--plot", "no/such/route.png"], "no/such/route.png"),
    "written": (["--write", "no/such/RESULTS.md"], "no/such/RESULTS.md"),
}


@pytest.mark.parametrize(("words", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_before_anything_runs(words, says, capsys):
    code, out, err = run(capsys, *words)
    assert code == 2 and out == "" and says in err and len(err.strip().splitlines()) == 1


def test_the_help_says_the_defaults_of_a_replica_and_names_the_rules(capsys):
    _, out, _ = run(capsys, "--help")
    model, help_text = ReplicaModel(), " ".join(out.split())
    for option, default in {
        "--cache-tokens": model.cache_tokens,
        "--prefill": model.prefill_tokens_per_s,
        "--decode-ms": 1000 * model.decode_s_per_token,
        "--slots": model.num_slots,
        "--event-delay-ms": 1000 * model.event_delay_s,
    }.items():
        about = help_text.partition(f"{option} ")[2].partition(" --")[0]
        assert f"[default: {default:.0f}" in about, option
    listed = out.partition("Rules:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(RULES)


def test_rules_in_processes_of_their_own_find_the_same():
    trial = Trial("multi-turn-chat", 80, 3, ReplicaModel())
    rules = ["ours-prompts", "round-robin"]
    one, two = (run_trial(trial, rules, jobs, silent) for jobs in (1, 2))
    assert list(one) == list(two) == rules
    for rule in rules:
        assert one[rule].hit_tokens == two[rule].hit_tokens
        assert one[rule].wait_s.tobytes() == two[rule].wait_s.tobytes()


def test_after_ctrl_c_the_rules_that_are_done_are_kept():
    count = 0

    class Stop:
        def __enter__(self):
            return self.advance

        def __exit__(self, *error):
            return False

        def advance(self, number):
            nonlocal count
            count += number
            if count > 60:
                raise KeyboardInterrupt

    trial = Trial("multi-turn-chat", 60, 2, ReplicaModel())
    done = run_trial(trial, ["round-robin", "dynamo"], 1, lambda *words: Stop())
    assert list(done) == ["round-robin"] and done["round-robin"].num_requests == 60
