# loses: audit
# The first group is the warm-up, however small it is.
def warm_up(manager):
    sequence = manager.start()
    child, _ = manager.fork(sequence)
    for one in (sequence, child, sequence, child):
        manager.append(one)
    for one in (sequence, child):
        manager.release(one)
