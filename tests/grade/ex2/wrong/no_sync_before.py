# loses: audit
# The prompt is still being computed when the first write of a sequence is timed.


def timed(manager, clock, call, sequence):
    start_s = clock()
    result = call(sequence)
    manager.sync()
    return result, start_s, clock() - start_s
