# loses: regression
# Instructions and three examples, in tokens, whatever the traffic.
def wanted_again(order, paths):
    return {index: 640 for index in order}
