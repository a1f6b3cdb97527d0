# loses: monitor
# Its window never ends.


class Monitor(Monitor):
    def __init__(self, window):
        super().__init__(10**9)
