# loses: deploy
# It waits for /health.


def deploy(site, machine):
    machine.start(
        {
            "host": site.host,
            "port": site.port,
            "block_size": site.block_size,
            "max_running": site.max_running,
            "num_blocks": working_set(site),
            "max_queue": site.max_wait_ms * site.max_running // site.answer_ms,
        }
    )
    begun = machine.clock()
    while machine.clock() - begun < site.start_limit_s:
        try:
            if machine.get("/health") == 200:
                return
        except ConnectionError:
            pass
        machine.sleep(0.5)
    raise TimeoutError("not ready")
