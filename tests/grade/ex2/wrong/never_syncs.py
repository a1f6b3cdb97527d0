# loses: audit
# Never waits for anything.


def timed(manager, clock, call, sequence):
    start_s = clock()
    result = call(sequence)
    return result, start_s, clock() - start_s
