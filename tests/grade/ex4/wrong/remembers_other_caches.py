# loses: deterministic
# The statistics are the class's, so that one policy begins where another one ended.
class MyPolicy(MyPolicy):
    seen, back = {False: 10, True: 10}, {False: 5, True: 5}

    def __init__(self):
        super().__init__()
        del self.seen, self.back
        self.seen, self.back = MyPolicy.seen, MyPolicy.back
