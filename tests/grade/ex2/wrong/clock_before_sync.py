# loses: audit
# Reads the clock when the call returns, which is before its work is done.


def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = clock()
    result = call(sequence)
    seconds = clock() - start_s
    manager.sync()
    return result, start_s, seconds
