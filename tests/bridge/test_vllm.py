"""A broken policy in vLLM's own offload manager, where wheels are; test_lesson.py has the rest."""

from radixlab.bridge.part_file import POLICY
from tests.bridge.test_sglang import WHEELS, needs_wheels, run_with_wheels

BROKEN = """
class MyPolicy:
    def __init__(self):
        self.nodes = []
    def on_insert(self, node, tick):
        self.nodes.append(node)
    def victim(self):
        return self.nodes[-1]
"""
SAYS = """
import json
from pathlib import Path
from benchmarks.peers.vllm_traffic import Offload, load
modules = load(Path({wheels!r}))
offload = Offload(modules, "RadixlabYours", 4, 0)
offload.start(1, [1, 2, 3, 4], 1, True)
offload.store(offload.running[0], 4)
offload.end(offload.running[0], True)
offload.start(2, [5, 6], 1, True)
offload.store(offload.running[0], 1)
offload.complete(offload.running[0], True)
held = offload._held()
said = []
for _ in range(2):
    try:
        offload.store(offload.running[0], 1)
    except Exception as error:
        said.append(f"{{type(error).__name__}}: {{error}}")
offload.settle()
print(json.dumps([said, held == offload._held(), offload.manager.get_stats() is not None]))
"""


@needs_wheels
def test_a_policy_that_names_a_protected_chunk_is_reported_by_name(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BROKEN, encoding="utf-8")
    env = {POLICY: f"{file}:MyPolicy"}
    (first, second), unchanged, _ = run_with_wheels("-c", SAYS.format(wheels=WHEELS), **env)
    assert first.startswith("BrokenPartError: policy yours: victim() returned chunk 4, which")
    assert second.endswith("(out of service since then)") and unchanged
