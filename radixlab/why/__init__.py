"""Why did this prompt cache miss? A log of requests is replayed, and each break gets a cause.

    log ─► reading ─► bodies (parts) ─► index of prefixes ─► breaks ─► causes ─► fixes ─► report

The command line is in `radixlab/cli/why.py`. Prompts never leave the machine.
"""
