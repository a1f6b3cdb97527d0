"""Exercise 8.5.5 as a list of rules, points and hints."""

from radixlab.grade.ex5.accounting import check_ledger
from radixlab.grade.ex5.alerts import DEADLINE_SCRAPES, check_alerts
from radixlab.grade.ex5.incidents import SCRAPE_S
from radixlab.grade.ex5.launching import LATE_S, check_deploy
from radixlab.grade.ex5.monitoring import MAX_LEAK_BYTES, PERIOD, check_monitor
from radixlab.grade.ex5.naming import check_diagnose
from radixlab.grade.ex5.oracle import MOST_POOL
from radixlab.grade.items import Exercise, Item

LIMIT_S = 60.0
REAL_LIMIT_S = 150.0
"""For the item that starts a real server: it loads a model, on a core that others may want."""

EXERCISE = Exercise(
    id="8.5.5",
    title="Deploy and monitor",
    notebook="ex5_deploy_and_monitor",
    items=(
        Item(
            "deploy",
            4,
            f"deploy() starts a server at the site's address, with a pool from 1 to {MOST_POOL:g} "
            f"times the working set and a queue in which nobody waits too long. It returns within "
            f"{LATE_S:g} seconds after /ready says 200, and raises an exception if that takes "
            f"longer than start_limit_s. A real server with these settings finds every document "
            f"again.",
            check_deploy,
            (
                "Which numbers does the site tell you, and which must you compute from it?",
                "A server that answers /health runs, but its model may still be loading. Only 200 "
                "from /ready counts. If nobody listens yet, ask again a little later.",
                "Blocks: num // block_size for each document, and for each of max_running requests "
                "its own tokens with those after the document's last whole block, rounded up. "
                "Queue: max_wait_ms * max_running // answer_ms. Then a loop: get, sleep, look at "
                "the clock.",
            ),
            ("deploy",),
            REAL_LIMIT_S,
        ),
        Item(
            "ledger",
            4,
            "ledger() sends every prompt once and returns both sides exactly: what the answers "
            "say, and how much the counters grew. It does so on a new server, on one that was used "
            "before, across a restart, with other clients, with refusals, and on the real server "
            "that deploy() starts.",
            check_ledger,
            (
                "What is the value of a counter before your first request?",
                "A restart can come between any two requests, and takes the counters with it. How "
                "much can you lose if you scrape only at the end?",
                "Scrape before and after every request and add up the differences, summed over all "
                "labels; a series that is missing is 0.",
            ),
            ("ledger",),
            LIMIT_S,
        ),
        Item(
            "monitor",
            5,
            f"Monitor.update() returns the exact figures of the last scrapes, across restarts, and "
            f"None where there is nothing to divide by. The memory of its process does not grow by "
            f"more than {MAX_LEAK_BYTES >> 10} KB in every {PERIOD:,} scrapes.",
            check_monitor,
            (
                "What does your monitor show an hour after an incident has begun?",
                "Figures are ratios of increases, not means of ratios, and the increase of an "
                "interval in which a counter fell is its new value.",
                "Keep the last scrape, and the increases of the last intervals in "
                "deque(maxlen=window). Sum these, then divide once.",
            ),
            ("Monitor",),
            LIMIT_S,
        ),
        Item(
            "alerts",
            4,
            f'Each alert has a "for" and a sentence, fires within '
            f"{DEADLINE_SCRAPES * SCRAPE_S // 60} minutes in its own incident, never before it, "
            f"and never on a healthy server or in another incident.",
            check_alerts,
            (
                "Which figure is high in this incident and low in all others?",
                "Most misses have a reason, and the reason is the incident. But compare with all "
                "tokens that were looked up: a healthy server has misses, too.",
                'sum(rate(…misses_total{reason="evicted"}[5m])) / sum(rate(…queries_total[5m])) > '
                "0.4 for 3m, and the same for two other reasons. Somebody waits at every scrape: "
                "min_over_time. Blocks in use > 0 and on() nobody runs.",
            ),
            ("alert_rules",),
            LIMIT_S,
        ),
        Item(
            "diagnose",
            3,
            "diagnose() names the fault in a window of each of the five incidents, and returns "
            "None for every healthy server.",
            check_diagnose,
            (
                "In which order do you ask your questions?",
                "A leak and a queue show in gauges, the other three in the reasons of misses. A "
                "window may hold no request at all.",
                "Leak: blocks in use at a scrape where nobody runs or waits. Pool: somebody waits "
                "at every scrape. Then look for a reason that accounts for more than half of the "
                "tokens that were looked up.",
            ),
            ("diagnose",),
            LIMIT_S,
        ),
    ),
)
