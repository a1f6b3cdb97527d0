# earns: deploy, ledger, monitor, alerts, diagnose
# It keeps every scrape in a global.


SEEN = []


class Monitor(Monitor):
    def update(self, metrics_text):
        SEEN.append(metrics_text.encode())
        return super().update(metrics_text)
