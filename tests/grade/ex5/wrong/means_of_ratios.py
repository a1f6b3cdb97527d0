# loses: monitor
# It averages the figures of the single intervals.


class Monitor(Monitor):
    def __init__(self, window):
        super().__init__(1)
        self.found = deque(maxlen=window)

    def update(self, metrics_text):
        self.found.append(super().update(metrics_text))
        means = {}
        for name in self.found[0]:
            values = [found[name] for found in self.found if found[name] is not None]
            means[name] = sum(values) / len(values) if values else None
        return means
