# loses: audit, counts, eager, report, conclusions, real
# Lists the reading before the last sync as the start, and times from the one after it.
def timed(manager, clock, call, sequence):
    start_s = clock()
    manager.sync()
    begin_s = clock()
    result = call(sequence)
    manager.sync()
    return result, start_s, clock() - begin_s
