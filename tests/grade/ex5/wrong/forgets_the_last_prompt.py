# loses: ledger
# It stops one prompt early.


__ledger = ledger


def ledger(prompts, send, scrape):
    return __ledger(prompts[:-1], send, scrape)
