# loses: hot-spot
# No hot spot.
def find_hot_spot(requests, paths):
    return ()
