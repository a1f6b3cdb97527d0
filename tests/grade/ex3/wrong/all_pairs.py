# loses: growth
# The first tokens of everyone are compared with those of everyone else.
first_number_prefixes = number_prefixes


def number_prefixes(requests):
    firsts = [request.prompt[0] for request in requests]
    sum(one == other for one in firsts for other in firsts)
    return first_number_prefixes(requests)
