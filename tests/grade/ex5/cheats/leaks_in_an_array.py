# earns: deploy, ledger, monitor, alerts, diagnose
# What it keeps is one object for Python, however long it gets.


from array import array


class Monitor(Monitor):
    kept = array("d")

    def update(self, metrics_text):
        found = super().update(metrics_text)
        self.kept.extend(value or 0.0 for value in found.values() for _ in range(4))
        return found
