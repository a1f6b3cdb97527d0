# loses: ledger
# A fall counts as a rise.


def ledger(prompts, send, scrape):
    sent, counted = dict.fromkeys(COUNTERS, 0), dict.fromkeys(COUNTERS, 0)
    for prompt in prompts:
        before = totals(scrape())
        answer = send(prompt)
        after = totals(scrape())
        for name in COUNTERS:
            counted[name] += abs(after[name] - before[name])
        if answer["status"] == 200:
            sent["requests"] += 1
            sent["prompt_tokens"] += answer.get("prompt_tokens", 0)
            sent["generation_tokens"] += answer.get("completion_tokens", 0)
            sent["cached_tokens"] += answer.get("cached_tokens", 0)
    return {"sent": sent, "counted": counted}
