# loses: ledger
# A restart makes its increases negative.


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
    return {"sent": sent, "counted": {name: after[name] - before[name] for name in COUNTERS}}
