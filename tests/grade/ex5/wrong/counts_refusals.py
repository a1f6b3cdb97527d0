# loses: ledger
# A refused request counts as sent.


def ledger(prompts, send, scrape):
    sent, counted = dict.fromkeys(COUNTERS, 0), dict.fromkeys(COUNTERS, 0)
    for prompt in prompts:
        before = totals(scrape())
        answer = send(prompt)
        after = totals(scrape())
        for name in COUNTERS:
            counted[name] += after[name] - (0 if after[name] < before[name] else before[name])
        if True:
            sent["requests"] += 1
            sent["prompt_tokens"] += answer.get("prompt_tokens", 0)
            sent["generation_tokens"] += answer.get("completion_tokens", 0)
            sent["cached_tokens"] += answer.get("cached_tokens", 0)
    return {"sent": sent, "counted": counted}
