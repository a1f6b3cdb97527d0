# loses: audit
# Waits for older work, but with the clock already running.


def timed(manager, clock, call, sequence):
    start_s = clock()
    manager.sync()
    result = call(sequence)
    manager.sync()
    return result, start_s, clock() - start_s
