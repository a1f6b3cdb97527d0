# loses: deploy
# The own blocks of a request are rounded down.


def deploy(site, machine):
    machine.start(
        {
            "host": site.host,
            "port": site.port,
            "block_size": site.block_size,
            "max_running": site.max_running,
            "num_blocks": sum(site.document_tokens) // site.block_size
            + site.max_running * (site.own_tokens // site.block_size),
            "max_queue": site.max_wait_ms * site.max_running // site.answer_ms,
        }
    )
    begun = machine.clock()
    while machine.clock() - begun < site.start_limit_s:
        try:
            if machine.get("/ready") == 200:
                return
        except ConnectionError:
            pass
        machine.sleep(0.5)
    raise TimeoutError("not ready")
