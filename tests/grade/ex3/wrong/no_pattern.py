# loses: hits, growth, memory, regression, hot-spot
# There is no such pattern.
PATTERN = "chat"
