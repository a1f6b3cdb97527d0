# loses: monitor
# Figures without names.


class Monitor(Monitor):
    def update(self, metrics_text):
        return tuple(super().update(metrics_text).values())
