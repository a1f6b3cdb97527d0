# loses: monitor
# It keeps all scrapes for ever.


class Monitor(Monitor):
    def __init__(self, window):
        super().__init__(window)
        self.texts = []

    def update(self, metrics_text):
        self.texts.append(metrics_text)
        return super().update(metrics_text)
