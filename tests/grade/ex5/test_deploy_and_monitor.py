"""8.5.5: figures are exact, series show what they are made for, and PromQL means what it means."""

import json
import math
import re
import shutil
import subprocess
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from radixlab.exercise.metrics import FAULTS, PREFIX, Snapshot, samples
from radixlab.exercise.site import SETTINGS, Machine, Site
from radixlab.exercise.watching import endless_text
from radixlab.grade.ex5 import Start, open_series, open_site, try_deploy, try_ledger
from radixlab.grade.ex5 import real as real_servers
from radixlab.grade.ex5.alerts import check_alerts
from radixlab.grade.ex5.incidents import HEALTHY, KINDS, SCRAPE_S, Scene, scrapes
from radixlab.grade.ex5.launching import check_deploy
from radixlab.grade.ex5.monitoring import ENDLESS_WINDOW, _endless_figures
from radixlab.grade.ex5.oracle import Increases, figures, most_waiting, working_set_blocks
from radixlab.grade.ex5.plant import Plant
from radixlab.grade.ex5.play import Desk, LoadedPlant, Scripted, Service
from radixlab.grade.ex5.promql import Series, evaluate
from radixlab.grade.ex5.promql_text import MAX_DEPTH, MAX_TEXT, RuleError, parse
from radixlab.grade.ex5.rules import EVALUATED_S, firing, read_rules, scripted
from radixlab.grade.ex5.traffic import NUM_BEFORE, WINDOW, cases, loads, sites, watches
from radixlab.grade.items import CannotCheck, Failed, Trial
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.5"]


def _soak(seed):
    """A seed of `make soak`: the engine serves its series for a second or two."""
    return pytest.param(seed, marks=pytest.mark.soak)


PROMTOOL = shutil.which("promtool")


# ---- sites


def test_the_working_set_is_the_blocks_of_documents_and_of_those_who_run():
    site = Site("h", 1, 16, (32, 40), 10, 3, 100, 1_000, 60.0)
    assert working_set_blocks(site) == 2 + 2 + 3 * 2  # 8 left over and 10 of one's own: 2 blocks
    assert most_waiting(site) == 30


@pytest.mark.parametrize("seed", range(20))
def test_every_site_can_be_deployed_to_and_some_servers_never_come_up(seed):
    drawn = sites(seed)
    assert all(most_waiting(site) >= 1 and working_set_blocks(site) > 1 for site, _ in drawn)
    hopeless = [start for site, start in drawn if start.ready_after_s > site.start_limit_s]
    assert len(hopeless) == 2


@pytest.mark.parametrize("seed", range(20))
def test_servers_say_in_every_way_that_they_load(seed):
    waited_for = [start for _, start in sites(seed) if start.listens_after_s < start.ready_after_s]
    assert sorted(start.loading for start in waited_for) == [404, 429, 500, 503]


def deployed(deploy, site, start):
    desk = Desk(lambda settings: Scripted(start), is_real=False)
    deploy(site, Machine(desk))
    return desk._end(None)


def test_a_scripted_server_listens_before_it_is_ready():
    said = []

    def look(site, machine):
        with pytest.raises(ConnectionError):
            machine.get("/ready")
        machine.start(dict.fromkeys(SETTINGS, 1))
        for _ in range(4):
            machine.sleep(1)
            try:
                said.append((machine.get("/health"), machine.get("/ready")))
            except ConnectionError:
                said.append(None)

    story = deployed(look, open_site(1), Start(1.5, 3.5, 500))
    assert said == [None, (200, 500), (200, 500), (200, 200)]
    assert story.was_ready and 4 < story.waited_s < 4.1


@pytest.mark.parametrize("seconds", [-1, "1", None, math.nan, math.inf, 1e300, True, 1 << 2_000])
def test_a_machine_survives_whatever_it_is_told(seconds):
    desk = Desk(lambda settings: Scripted(Start(0, 0)), is_real=False)
    desk.sleep(seconds)
    assert desk.start(seconds) and desk.get(seconds) is None
    assert "sleep() was called with" in desk._end(None).told


def test_what_is_tried_in_the_notebook_says_what_is_wrong(capsys):
    zoo = ZOO.loaded(ZOO.wrong["port_8000"])
    try_deploy(zoo.deploy, open_site(3), Start(1, 2))
    try_ledger(ZOO.loaded(ZOO.wrong["the_device_only"]).ledger, "a server with two tiers", 3)
    told = capsys.readouterr().out
    assert "port must be 8003, as the site says; it is 8000." in told
    assert re.search(r"cached tokens +[\d,]+; it must be", told)


# ---- a real server


@pytest.mark.parametrize(("missing", "extra"), [("fastapi", "serve"), ("torch", "model")])
def test_without_the_server_the_item_says_what_to_install(missing, extra, monkeypatch):
    monkeypatch.setattr(
        real_servers, "find_spec", lambda name: None if name == missing else find_spec(name)
    )
    trial = Trial(ZOO.loaded(ZOO.master), 0, fresh=lambda text=None: None)
    with pytest.raises(CannotCheck, match=rf"{missing} .*'radixlab\[{extra}\]'"):
        check_deploy(trial)


NOT_ALL = {
    "a_port_as_text": "deploy",
    "settings_that_change": "deploy",
    "sets_the_clock": "deploy",
    "leaks_in_a_global": "monitor",
    "leaks_in_an_array": "monitor",
    "patched_endless": "monitor",
    "keeps_every_text": "monitor",
    "logs_its_figures": "monitor",
}
"""What earns a part of an item honestly, and must not earn all of it in a box."""


@pytest.mark.soak
@pytest.mark.parametrize(("name", "item"), NOT_ALL.items())
def test_in_a_box_a_cheat_does_not_earn_the_whole_item(name, item):
    text = ZOO.wrong.get(name) or ZOO.cheats[name]
    (report,) = ZOO.report(text, 0, [item]).items
    assert report.verdict.share < 1 and report.verdict.status in ("partial", "failed")


# ---- figures


@pytest.mark.parametrize("seed", [0, *map(_soak, range(1, 12))])
def test_a_counter_that_restarts_falls_in_every_series(seed):
    """So whoever looks at series and whoever looks at sums see the same increases."""
    for watch in watches(seed):
        for old, new in zip(watch.texts, watch.texts[1:], strict=False):
            before, after = (
                {(s.name, str(s.labels)): s.value for s in samples(t)} for t in (old, new)
            )
            counters = [key for key in before if key[0].endswith(("_total", "_sum", "_count"))]
            fell = [key for key in counters if after.get(key, 0) < before[key]]
            if fell:
                assert {key for key in counters if before[key]} == set(fell), watch.name


@pytest.mark.parametrize("seed", [0, *map(_soak, range(1, 12))])
def test_the_rough_scrapes_have_what_they_are_drawn_for(seed):
    by_name = {watch.name: figures(watch.texts, watch.window) for watch in watches(seed)}
    quiet, long = by_name["quiet times"], by_name["long answers"]
    assert (None,) * 4 in quiet and any(None not in one for one in quiet)
    assert any(one[0] is not None and one[1] is None for one in long)
    assert all(found[0] == (None,) * 4 for found in by_name.values())


def test_the_figures_of_an_endless_run_are_those_of_its_texts():
    texts = [endless_text(number) for number in range(40)]
    for number, (short, right) in enumerate(
        zip(map(_endless_figures, range(40)), figures(texts, ENDLESS_WINDOW), strict=True)
    ):
        for one, other in zip(short, right, strict=True):
            assert one is other is None or math.isclose(one, other), number


def test_an_increase_is_the_new_value_after_a_restart():
    increases = Increases(["x_total"])
    texts = ["", 'radixlab:x_total{a="1"} 5', 'radixlab:x_total{a="1"} 2', "", "radixlab:x_total 1"]
    assert [increases.add(text)["x_total"] for text in texts] == [0, 5, 2, 0, 1]


@pytest.mark.parametrize("seed", range(2))
def test_the_metrics_add_up(seed):
    for kind in KINDS:
        snapshot = Snapshot(scrapes(Scene(kind, seed, 3, 4)))
        hits, misses, queries = (
            snapshot.values(f"prefix_cache_{name}_total") for name in ("hits", "misses", "queries")
        )
        assert [a + b for a, b in zip(hits, misses, strict=True)] == queries
        assert len(set(snapshot.values("blocks")[:3])) == 1


# ---- series, cases


@pytest.mark.parametrize("seed", [0, *map(_soak, range(1, 12))])
def test_each_fault_shows_far_from_where_anybody_would_draw_the_line(seed):
    reasons = {
        "thrash": "evicted",
        "no_shared_prefixes": "never_seen",
        "prefix_broken": "below_block",
    }
    for case in cases(seed):
        snapshot = Snapshot(case.texts)
        assert len(snapshot) == WINDOW
        queries = snapshot.increase("prefix_cache_queries_total") or 1
        for fault, reason in reasons.items():
            missed = snapshot.increase("prefix_cache_misses_total", reason=reason) / queries
            assert missed > 0.85 if case.fault == fault else missed < 0.35, case.name
        waiting = snapshot.values("num_requests_waiting")
        is_small = case.fault == "pool_too_small"
        assert min(waiting) >= 3 if is_small else sum(map(bool, waiting)) <= 3, case.name
        rows = zip(
            snapshot.values("blocks", state="in_use"),
            snapshot.values("num_requests_running"),
            strict=True,
        )
        idle = [used for used, runs in rows if not runs]
        assert min(idle, default=0) > 0 if case.fault == "leak" else not any(idle), case.name


def test_the_leak_is_the_graders_own():
    plant = Plant(8, 4)
    plant.leak(3)
    plant.leak(100)
    assert 'blocks{state="in_use"} 8.0' in plant.scrape()


def test_a_ledger_has_two_different_sides_where_others_ask():
    for load in loads(5):
        service = Service(LoadedPlant(load))
        for prompt in load.prompts:
            service.send(list(prompt))
        sent, counted = service._end()
        assert (sent != counted) == bool(load.strangers), load.name


@pytest.mark.parametrize("seed", range(8))
def test_both_tiers_are_hit_where_there_are_two(seed):
    load = next(each for each in loads(seed) if each.num_host_blocks)
    server = LoadedPlant(load)
    before = total_hits(server.scrape())
    for prompt in load.prompts:
        server.answer(prompt)
    after = total_hits(server.scrape())
    assert after["host"] > before["host"] and after["device"] > before["device"]


def total_hits(text):
    """The hit tokens by tier that a server's metrics show."""
    hits = dict.fromkeys(("device", "host"), 0)
    for name, labels, value in samples(text):
        if name.endswith("prefix_cache_hits_total"):
            hits[labels["tier"]] += value
    return hits


# ---- rules


def scripted_numbers(values):
    """A text for each number of each series."""
    return ["".join(f"{name} {value}\n" for name, value in row.items()) for row in values]


ROWS = [
    {"up": 1, 'c{x="1"}': 10 * n + n % 3, 'c{x="2"}': (7 * n) % 50, 'g{x="1",y="a b"}': 5 - n % 4}
    | ({'late{x="1"}': 3 * n} if n > 6 else {})
    | ({'gone{x="2"}': n} if n < 9 else {})
    for n in range(24)
]
EXPRESSIONS = [
    "up", "c", 'c{x="1"}', 'c{x!="1"}', 'c{x=~"1|2"}', 'c{x!~"1.*"}', "late", "gone", "-c", "+c",
    "rate(c[2m])", "increase(c[3m])", "increase(late[5m])", "delta(g[2m])", "resets(c[10m])",
    "changes(g[4m])", "avg_over_time(g[2m])", "min_over_time(c[90s])", "max_over_time(g[3m])",
    "sum_over_time(c[2m])", "count_over_time(gone[5m])", "last_over_time(c[2m])", "rate(gone[5m])",
    "abs(-c)", "clamp_min(c, 30)", "clamp_max(g, 3)", "ceil(c / 7)", "floor(c / 7)",
    "sum(c)", "sum by (x) (c)", "avg(c) by (x)", "max without (x) (g)", "min(c)", "count(c) by (y)",
    "c > 30", "c > bool 30", "30 < c", "c == c", "c != 14", "c >= 5 and g < 5", "c % 7", "c ^ 2",
    "2 ^ 3 ^ 2", "-2 ^ 2", "c / 0", "c - on(x) g", "c * ignoring(y) g", "c + c",
    "c and on(x) g", "c or late", "c unless on(x) g", "c unless ignoring(y) g", "1 + 2 * 3 - 4 / 5",
    "sum(rate(c[2m])) / sum(increase(c[2m])) > 0", "c and up", "c and on() up == 1", "g <= bool 3",
    'g{y="a b"} or on() up', "sum(c) > 10 and sum(g) < 100", "c > ignoring(y) g", "c == on(x) c",
    "1 > bool 2", "vanished", "sum(vanished)", "c or vanished", "Inf", "c < Inf",
    "sum by (x) (c) / on(x) sum by (x) (g)", "(c)", "((g + 1) * 2)", "c > 30 > 35", "-c > -30",
    "c # a comment",
]  # fmt: skip
AT = (2 * 30, 5 * 30, 9 * 30, 13 * 30, 23 * 30)


def ours(text, at):
    times = [float(SCRAPE_S * (n + 1) - EVALUATED_S) for n in range(len(ROWS))]
    return evaluate(parse(text), Series(times, scripted_numbers(ROWS)), float(at))


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_evaluates_every_expression_alike(tmp_path):
    tests = []
    for text in EXPRESSIONS:
        for at in AT:
            exp = [
                {"labels": written(key), "value": number(value)}
                for key, value in ours(text, at).items()
            ]
            tests.append({"expr": text, "eval_time": f"{at}s", "exp_samples": exp})
    assert promtool(tmp_path, {"promql_expr_test": tests}, ROWS) == ""


def written(key):
    labels = dict(key)
    inside = ",".join(f"{n}={json.dumps(v)}" for n, v in labels.items() if n != "__name__")
    return labels.get("__name__", "") + "{" + inside + "}"


def number(value):
    return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, value)


def promtool(folder, tests, rows, rules=None):
    """What promtool complains of, for series on the same clock as ours."""
    names = dict.fromkeys(name for row in rows for name in row)
    gap, step = "_ " * (SCRAPE_S // EVALUATED_S - 1), EVALUATED_S

    def values(name):
        alive, found = False, []
        for row in rows:
            stale = "stale" if alive else "_"
            found.append(f"{gap}{row.get(name, stale)}")
            alive = name in row
        return " ".join(found)

    series = [{"series": name, "values": values(name)} for name in names]
    group = {"interval": f"{step}s", "input_series": series, **tests}
    asked = {"evaluation_interval": f"{SCRAPE_S}s", "tests": [group]}
    if rules is not None:
        (folder / "rules.json").write_text(json.dumps(rules))
        asked["rule_files"] = ["rules.json"]
    text = json.dumps(asked)
    for name in ("-.inf", ".inf"):
        text = text.replace(f'"value": "{name}"', f'"value": {name}')
    (folder / "test.json").write_text(text)
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "test.json"], cwd=folder, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("name", [*ZOO.right])
def test_promtool_takes_the_rules_of_every_right_solution(name, tmp_path):
    rules = ZOO.loaded(ZOO.right[name]).alert_rules()
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "radixlab", "rules": rules}]}))
    done = subprocess.run([PROMTOOL, "check", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS: 5 rules found" in done.stdout


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("kind", ["thrash", pytest.param("leak", marks=pytest.mark.soak)])
def test_promtool_lets_alerts_fire_at_the_same_moments(kind, tmp_path):
    texts = open_series(kind, seed=0)
    rules = ZOO.loaded(ZOO.master).alert_rules()
    rows = [{_series(s): s.value for s in samples(text)} for text in texts]
    fires = firing(read_rules(rules)[kind], scripted(texts), len(texts))
    first = fires.index(True)
    tests = [
        {
            "alertname": kind,
            "eval_time": f"{SCRAPE_S * (n + 1)}s",
            "exp_alerts": [_expected(rules, kind)] if fires[n] else [],
        }
        for n in (NUM_BEFORE, first - 1, first, first + 5)
    ]
    groups = {"groups": [{"name": "radixlab", "rules": rules}]}
    assert promtool(tmp_path, {"alert_rule_test": tests}, rows, groups) == ""


def _expected(rules, kind):
    notes = next(rule["annotations"] for rule in rules if rule["alert"] == kind)
    labels = {"state": "in_use"} if kind == "leak" else {}
    return {"exp_labels": labels, "exp_annotations": notes}


def _series(sample):
    inside = ",".join(f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
    return f"{sample.name}{{{inside}}}" if inside else sample.name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("c offset 5m", "'offset' is not in the subset"),
        ("c @ 5", "'@' is not in the subset"),
        ("absent(c)", "absent() is not in the subset"),
        ("histogram_quantile(0.9, c)", "histogram_quantile() is not in the subset"),
        ("topk(1, c)", "topk() is not in the subset"),
        ("a * on(x) group_left() b", "group_left is not in the subset"),
        ("max_over_time(rate(c[5m])[1h:1m])", "holds a duration, and stands behind a metric"),
        ("rate(c)", "rate() takes a range such as x[5m]"),
        ("c[5m]", "stands inside a function"),
        ("c[5m] > 1", "stands inside a function"),
        ("sum(c[5m])", "sum() takes a vector"),
        ("1 and c", "'and' stands between vectors"),
        ("1 > 2", "a comparison of two numbers needs bool"),
        ("c > on(x) 2", "on() and ignoring() stand between vectors"),
        ("c{x=1}", "is not followed by"),
        ('c{x=~"(a*)*"}', "a pattern may have words"),
        ("c >", "a metric is missing before 'the end'"),
        ("c d", "'d' was not expected there"),
        ("", "a metric is missing"),
        ("c $ d", "cannot be read"),
        ("c[5x]", "'5x]' cannot be read"),
        ("clamp_min(c)", "clamp_min() takes a vector and a number"),
        ("(" * (MAX_DEPTH + 1) + "c", "levels deep"),
        ("-" * (MAX_DEPTH + 1) + "c", "levels deep"),
        ("c" * (MAX_TEXT + 1), "characters"),
    ],
)
def test_what_is_not_in_the_subset_is_named(text, told):
    with pytest.raises(RuleError) as error:
        parse(text)
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["c + ignoring(x) c", "c / on() g", "up + on() c"])
def test_series_that_match_several_others_are_an_error(text):
    with pytest.raises(RuleError, match="several series on the"):
        ours(text, 300)


GOOD = {"alert": "leak", "expr": "c > 1", "for": "2m", "annotations": {"summary": "Restart it."}}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (None, "must be a list"),
        ([], "returns no alert"),
        ([3], "must be a dict; one is 3"),
        ([GOOD, GOOD], "two alerts with the name leak"),
        ([GOOD] * 11, "at most 10 make sense"),
        ([{**GOOD, "alert": "fire"}], "'fire' is not a fault"),
        ([{**GOOD, "alert": None}], "'alert' of an alert must be text"),
        ([{**GOOD, "keep": 1}], "has the key 'keep'"),
        ([{**GOOD, 7: 1}], "has the key '7'"),
        ([{**GOOD, "for": 60}], "'for' of the alert leak must be text"),
        ([{**GOOD, "for": "1 minute"}], "is not a duration"),
        ([{**GOOD, "for": "30s"}], "wait at least 60 s"),
        ([{**GOOD, "expr": 1}], "'expr' of the alert leak must be text"),
        ([{**GOOD, "expr": "c >"}], "The alert leak cannot be read"),
        ([{**GOOD, "annotations": "x"}], "needs a sentence"),
        ([{**GOOD, "annotations": {"summary": " "}}], "needs a sentence"),
        ([{k: v for k, v in GOOD.items() if k != "for"}], 'has no "for"'),
    ],
)
def test_a_rule_that_is_none_is_told_by_name(rules, told):
    with pytest.raises(Failed) as error:
        read_rules(rules)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_an_alert_that_prometheus_cannot_evaluate_costs_the_others_nothing():
    rules = ZOO.loaded(ZOO.master).alert_rules()
    rules[0]["expr"] = "radixlab:blocks + ignoring(state) radixlab:blocks"
    trial = Trial(SimpleNamespace(alert_rules=lambda: rules), 0)
    assert check_alerts(trial) == pytest.approx(0.8)
    assert "cannot be evaluated" in trial.notes[0]


def test_an_alert_fires_when_its_series_has_been_there_for_long_enough():
    (rule,) = read_rules([{**GOOD, "expr": "c > 0", "for": "1m"}]).values()
    texts = ["c 1", "c 1", "c 0", "c 1", "c 1", "c 1", "", 'c{x="2"} 1', 'c{x="2"} 1', "c 1"]
    fires = firing(rule, scripted(texts), len(texts))
    assert fires == [False, False, False, False, False, True, False, False, False, False]


# ---- what the exercise text says


@pytest.mark.parametrize("fault", FAULTS)
def test_the_text_knows_every_fault_and_metric(fault):
    notebook = (ZOO.folder.parents[2] / "solutions" / f"{ZOO.exercise.notebook}.ipynb").read_text()
    assert f"`{fault}`" in notebook
    text = open_series(HEALTHY, seed=0)[-1]
    for name in re.findall(rf"{PREFIX}(\w+_total|blocks|num_requests_\w+)", notebook):
        assert f"{PREFIX}{name}" in text
