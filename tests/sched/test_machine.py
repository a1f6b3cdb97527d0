"""Random lives of an engine over a small pool: every answer is the one that no cache gives.

Requests come, go and are preempted all the time, for the pool holds few of them. After every step
all oracles speak (`Served`); at the end everybody is served and nothing has leaked.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from radixlab.sched import ORDERS, RequestTooLargeError
from tests.cache.helpers import ADAPTER, SALT
from tests.sched.helpers import Served

BLOCK = 2
PROMPTS = st.lists(st.sampled_from([1, 2]), min_size=1, max_size=11)
EOS = 0


class EngineMachine(RuleBasedStateMachine):
    """Everything that a caller may do with an engine, in any order."""

    @initialize(
        num_blocks=st.integers(5, 14),
        num_host_blocks=st.sampled_from([0, 3, 40]),
        partial_reuse_tokens=st.sampled_from([0, 1]),
        order=st.sampled_from(list(ORDERS)),
        max_running=st.integers(1, 5),
        more_tokens=st.integers(0, 6),
        watermark_blocks=st.integers(0, 1),
        max_passes=st.integers(1, 6),
        max_lookups=st.integers(1, 6),
    )
    def build(self, num_blocks, max_running, more_tokens, **settings):
        self.served = Served(
            num_blocks,
            block_size=BLOCK,
            vocab_size=4,
            eos_ids=[EOS],
            max_running=max_running,
            max_batch_tokens=max_running + more_tokens,
            **settings,
        )
        self.asked, self.aborted = [], set()

    @rule(
        tokens=PROMPTS,
        max_tokens=st.integers(1, 9),
        namespace=st.sampled_from([None, None, SALT, ADAPTER]),
        ignore_eos=st.booleans(),
        times=st.sampled_from([1, 1, 3]),
    )
    def ask(self, tokens, max_tokens, namespace, ignore_eos, times):
        most = self.served.manager.config.num_blocks * BLOCK
        for _ in range(times):
            try:
                more = {"namespace": namespace, "ignore_eos": ignore_eos}
                self.asked.append(self.served.ask(tokens, max_tokens, **more))
            except RequestTooLargeError:
                assert len(tokens) > most

    @rule(which=st.integers(0, 9))
    def fork(self, which):
        live = self.served.engine.requests.values()
        if open := [r for r in live if not (r.output or r.origin)]:
            origin = open[which % len(open)]
            self.asked.append(self.served.engine.fork_request(origin, sampler=which % 4))

    @rule(times=st.integers(1, 4))
    def step(self, times):
        self.served.step(times)

    @rule(which=st.integers(0, 9))
    def abort(self, which):
        if live := list(self.served.engine.requests.values()):
            request = live[which % len(live)]
            assert self.served.abort(request)
            self.aborted.add(request.id)

    def teardown(self):
        if not hasattr(self, "served"):
            return
        self.served.run()
        for request in self.asked:
            output, whole = request.output, self.served.answer(request)
            if request.id in self.aborted:
                assert request.finish_reason == "abort"
                assert output == whole[: len(output)]
            else:
                assert output == whole
                assert request.finish_reason == (
                    "stop" if output[-1] in request.eos_ids else "length"
                )
        self.served.verify_idle()


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=80)
