# loses: audit
# Reads the clock before the sync too, and ends the sample there.
def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = clock()
    result = call(sequence)
    launched_s = clock()
    manager.sync()
    return result, start_s, launched_s - start_s
