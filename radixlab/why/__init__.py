"""Why did this prompt cache miss? A log of requests, replayed, and the places where it broke.

    log ─► reading ─► bodies (parts) ─► index of prefixes ─► breaks ─► causes ─► fixes ─► report

It is a library without pictures and without a command line; prompts never leave the machine.
"""
