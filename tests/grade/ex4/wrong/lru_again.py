# loses: traces, tenant, prediction
# LRU under another name gains nothing anywhere.
class MyPolicy(LeastRecent):
    pass
