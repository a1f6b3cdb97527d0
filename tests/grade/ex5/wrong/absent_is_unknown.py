# loses: monitor
# A series that appears is not counted from 0.


class Monitor:
    def __init__(self, window):
        self.increases, self.last = deque(maxlen=window), None

    def update(self, metrics_text):
        now, increase = {}, Counter()
        for name, labels, value in samples(metrics_text):
            now[name, tuple(sorted(labels.items()))] = value
        if self.last is not None:
            for series, value in now.items():
                before = self.last.get(series, 0)
                increase[series[0]] += (
                    0 if series not in self.last else value - before if value >= before else value
                )
            self.increases.append(increase)
        self.last = now
        total = Counter()
        for increase in self.increases:
            total.update(increase)
        return figures(total)
