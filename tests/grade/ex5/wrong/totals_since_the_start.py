# loses: monitor
# It divides the counters as they stand.


class Monitor:
    def __init__(self, window):
        self.window = window

    def update(self, metrics_text):
        total = Counter()
        for name, labels, value in samples(metrics_text):
            total[name] += value
        return figures(total)
