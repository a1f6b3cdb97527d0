# earns: deploy, monitor, alerts, diagnose
# A ledger of numbers that are no numbers.


def ledger(prompts, send, scrape):
    for prompt in prompts:
        send(prompt)
    return {side: dict.fromkeys(COUNTERS, float("nan")) for side in ("sent", "counted")}
