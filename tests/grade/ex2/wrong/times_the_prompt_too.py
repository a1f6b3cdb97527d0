# loses: audit
# The clock runs while a fresh prompt is admitted, which is no part of a write.


def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = clock()
    manager.release(manager.start())
    result = call(sequence)
    manager.sync()
    return result, start_s, clock() - start_s
