# loses: monitor
# All monitors share one window.


class Monitor(Monitor):
    shared = None

    def __init__(self, window):
        super().__init__(window)
        if Monitor.shared is None:
            Monitor.shared = self.increases
        self.increases = Monitor.shared
