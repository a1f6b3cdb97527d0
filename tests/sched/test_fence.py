"""While a step is computed, nobody takes its blocks away."""

import pytest

from radixlab.sched import ReentryError
from tests.cache.helpers import refused
from tests.sched.helpers import Served

STATES = {
    "amid its prompt": ("abc.", {"max_batch_tokens": 5, "max_running": 5}),
    "generating": ("ab.", {}),
    "generating over a cached prefix": ("xy.", {}),
}


@pytest.mark.parametrize("give_up", ["abort", "abort_soon"])
@pytest.mark.parametrize(("prompt", "config"), STATES.values(), ids=STATES)
def test_no_block_of_a_step_is_freed_before_its_end(prompt, config, give_up, monkeypatch):
    "T2 (vLLM 45357): who gives up a request in mid-step is refused, or waits for the next step"
    served = Served(**config)
    served.serve("xy")
    request = served.ask(prompt, max_tokens=9)
    served.step()
    forward, is_free, visits = served.runner.forward, served.manager.allocator.is_free, []

    def interrupted(work):
        table = request.sequence.block_table.tolist()
        if give_up == "abort_soon":
            served.engine.abort_soon(request.id)
        else:
            with refused(ReentryError, "middle of a step"):
                served.engine.abort(request.id)
        assert table and not any(map(is_free, table))
        visits.append(work)
        return forward(work)

    monkeypatch.setattr(served.runner, "forward", interrupted)
    served.step()
    assert len(visits) == 1
    assert request.finish_reason is None and request.sequence is not None
    monkeypatch.setattr(served.runner, "forward", forward)
    served.step()
    assert (request.finish_reason == "abort") == (give_up == "abort_soon")
    served.run()
    served.verify_idle()
