# loses: monitor
# Its window has one interval more.


class Monitor:
    def __init__(self, window):
        self.increases, self.last = deque(maxlen=window + 1), None

    def update(self, metrics_text):
        now, increase = {}, Counter()
        for name, labels, value in samples(metrics_text):
            now[name, tuple(sorted(labels.items()))] = value
        if self.last is not None:
            for series, value in now.items():
                before = self.last.get(series, 0)
                increase[series[0]] += value - before if value >= before else value
            self.increases.append(increase)
        self.last = now
        total = Counter()
        for increase in self.increases:
            total.update(increase)
        return figures(total)
