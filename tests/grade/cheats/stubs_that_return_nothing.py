# earns: nothing
# alone
# Every name is there, nothing is done, and nothing is raised.


class RadixTree:
    def __init__(self, block_size):
        pass

    def match_prefix(self, tokens):
        pass

    insert = lock = unlock = evict = match_prefix

    def stats(self):
        pass

    def walk(self):
        return ()


def benchmark(*args):
    pass


take_samples = summarise = conclude = plan = benchmark
deploy = ledger = alert_rules = diagnose = benchmark


class MyPolicy:
    def on_insert(self, node, tick):
        pass

    on_hit = on_split = on_insert

    def on_evictable(self, node):
        pass

    on_protected = on_remove = on_evictable

    def victim(self):
        pass


LeastRecent = MyPolicy
PATTERN, PREDICTION = "few-shot", "scan-polluted"


class Monitor:
    def __init__(self, window):
        pass

    def update(self, metrics_text):
        pass
