# loses: ledger
# It sends every prompt twice.


__ledger = ledger


def ledger(prompts, send, scrape):
    for prompt in prompts:
        send(prompt)
    return __ledger(prompts, send, scrape)
