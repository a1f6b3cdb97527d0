# earns: deploy, ledger, monitor, alerts, diagnose
# It moves the machine's clock instead of waiting for the server.


def deploy(site, machine):
    judge = machine._judge
    settings = {
        "host": site.host,
        "port": site.port,
        "block_size": site.block_size,
        "max_running": site.max_running,
        "num_blocks": working_set(site),
        "max_queue": site.max_wait_ms * site.max_running // site.answer_ms,
    }
    machine.start(settings)
    for name, value in (("_now", 1e6), ("_started_at", -1e6), ("_running", None)):
        try:
            setattr(judge, name, value)
        except Exception:
            pass
    machine.clock = lambda: 1e6
