# earns: nothing
# The answer is a million nodes, and the count of examined ones has a thousand digits.
from radixlab.exercise.policy import PolicyHost

PolicyHost.victim = lambda host, events: ([*range(90_000)], 10**1_000)
