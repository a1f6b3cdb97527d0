# loses: deploy
# It counts questions instead of time.


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
    for _ in range(40):
        try:
            if machine.get("/ready") == 200:
                return
        except ConnectionError:
            pass
        machine.sleep(0.5)
    raise TimeoutError("not ready")
