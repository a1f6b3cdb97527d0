"""A contender in a process of its own: it replays when it is asked, and waits in between.

`python -m radixlab.bench.worker NAME LIMIT` opens the workload, says on one line who it is, and
then answers each line of settings with one line of what it measured. So another Python, with
another build of the cache, takes its turns in the rounds of a benchmark. Lines are JSON objects.
"""

import json
import sys
from typing import TextIO

from radixlab.bench.contenders import OURS
from radixlab.bench.tree import COLD_EVERY, expanded, sweeper
from radixlab.build import cache_build, source_digest
from radixlab.config import CacheConfig
from radixlab.workloads import open_workload


def answer(name: str, limit: int, asked: TextIO, answers: TextIO) -> None:
    """Introduce this process, then replay for each line asked, until there is none."""
    workload = expanded(open_workload(name, limit))
    who = {"build": cache_build(), "source": source_digest(), "requests": workload.num_requests}
    print(json.dumps(who), file=answers, flush=True)
    sweep = sweeper()
    for line in asked:
        turn = json.loads(line)
        config = CacheConfig(num_blocks=turn["num_blocks"], block_size=turn["block_size"])
        timing = OURS.replay(config, workload, sweep if turn["is_cold"] else None, COLD_EVERY)
        told = {"cpu_us": timing.cpu_us, "token_hit_rate": timing.token_hit_rate}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    answer(sys.argv[1], int(sys.argv[2]), sys.stdin, sys.stdout)
