# loses: hot-spot
# The longest prompt.
def find_hot_spot(requests, paths):
    return max((request.prompt for request in requests), key=len)
