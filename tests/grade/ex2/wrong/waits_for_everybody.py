# loses: audit
# Waits for all managers inside a sample.
everybody = []
patient = warm_up


def warm_up(manager):
    everybody.append(manager)
    patient(manager)


def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = clock()
    result = call(sequence)
    for one in everybody:
        one.sync()
    return result, start_s, clock() - start_s


def take_samples(*asked, once=take_samples):
    everybody.clear()
    return once(*asked)
