# loses: monitor
# It smooths with a factor instead of a window.


class Monitor(Monitor):
    def __init__(self, window):
        super().__init__(1)
        self.factor, self.smooth = 1 / window, None

    def update(self, metrics_text):
        found = super().update(metrics_text)
        if self.smooth is None:
            self.smooth = found
        for name, value in found.items():
            old = self.smooth[name]
            if value is not None and old is not None:
                self.smooth[name] = old + self.factor * (value - old)
            elif value is not None:
                self.smooth[name] = value
        return dict(self.smooth)
