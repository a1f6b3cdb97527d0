# loses: ledger
# It sees the restart, and forgets what was counted before.


def ledger(prompts, send, scrape):
    before = totals(scrape())
    sent = dict.fromkeys(COUNTERS, 0)
    for prompt in prompts:
        answer = send(prompt)
        if answer["status"] == 200:
            sent["requests"] += 1
            sent["prompt_tokens"] += answer["prompt_tokens"]
            sent["generation_tokens"] += answer["completion_tokens"]
            sent["cached_tokens"] += answer["cached_tokens"]
    after = totals(scrape())
    counted = {}
    for name in COUNTERS:
        restarted = after[name] < before[name]
        counted[name] = after[name] - (0 if restarted else before[name])
    return {"sent": sent, "counted": counted}
