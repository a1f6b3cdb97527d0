# loses: monitor
# It keeps a history of its figures in a global list.


HISTORY = []


class Monitor(Monitor):
    def update(self, metrics_text):
        found = super().update(metrics_text)
        HISTORY.append(found["reuse"])
        return found
