"""Other engines' own code, run in a process of its own: their caches, publishers and decoders.

    python -m tests.observe.kv.peers ENGINE FOLDER stream SEED NUM_REQUESTS
    python -m tests.observe.kv.peers ENGINE FOLDER publish SEED NUM_REQUESTS
    python -m tests.observe.kv.peers ENGINE FOLDER decode < payloads as hex, one a line

`stream` prints payloads of the engine's own cache, encoded as its own publisher does, and probes:
how many tokens of a prompt that cache finds at that moment. `publish` sends the same by its own
`ZmqEventPublisher`, whose endpoints it prints first, and waits for a line before it starts and one
before it ends. `decode` prints what its own classes read. FOLDER has the unpacked wheels.
"""

import importlib
import json
import random
import sys
from array import array
from pathlib import Path
from types import SimpleNamespace

import msgspec

from benchmarks.peers import sglang_peer, vllm_peer
from radixlab.config import CacheConfig

BLOCK_SIZE, NUM_BLOCKS = 4, 48
VLLM = (*vllm_peer.REAL, "vllm.distributed.kv_events")
SGLANG = (*sglang_peer.REAL, "sglang.srt.disaggregation.kv_events")


class Documents:
    """Prompts that share documents: some exactly, some with a tail, some under a salt."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.documents = [self.tokens(self.random.randint(6, 60)) for _ in range(6)]

    def tokens(self, num: int) -> list[int]:
        return [self.random.randrange(100) for _ in range(num)]

    def prompt(self) -> list[int]:
        document = self.random.choice(self.documents)
        cut = self.random.choice([len(document), self.random.randint(1, len(document))])
        if self.random.random() < 0.3:
            cut = max(BLOCK_SIZE, cut // BLOCK_SIZE * BLOCK_SIZE)  # a whole number of blocks
            return (document * 2)[:cut]
        return document[:cut] + self.tokens(self.random.randint(1, 12))

    def salt(self) -> str | None:
        return self.random.choice([None, None, None, "tenant", "x"])


class VLLM_Engine:
    """vLLM's manager: several requests run at a time, so that duplicates of blocks occur."""

    def __init__(self, folder: Path, documents: Documents) -> None:
        vllm_peer.REAL = VLLM
        modules = vllm_peer.Modules(folder)
        self.events = importlib.import_module("vllm.distributed.kv_events")
        make = modules._Manager
        modules._Manager = lambda *args, **more: make(*args, enable_kv_cache_events=True, **more)
        self.peer = vllm_peer.VLLM(CacheConfig(NUM_BLOCKS, BLOCK_SIZE), modules)
        self.manager, self.documents, self.running = self.peer.manager, documents, []

    def request(self, prompt, salt):
        peer = self.peer
        return peer.m.Request(
            next(peer.ids), prompt, peer.sampling, None, block_hasher=peer.hasher, cache_salt=salt
        )

    def step(self) -> list:
        rng = self.documents.random
        if self.running and (len(self.running) > 2 or rng.random() < 0.4):
            self.manager.free(self.running.pop(rng.randrange(len(self.running))))
        elif not self.running and rng.random() < 0.02:
            assert self.manager.reset_prefix_cache()
        else:
            self.start(self.request(self.documents.prompt(), self.documents.salt()))
        return self.manager.take_events()

    def start(self, request) -> None:
        manager, num = self.manager, request.num_tokens
        found = manager.get_computed_blocks(request)
        if not manager.allocate_slots(request, num - found[1], found[1], found[0]):
            return
        request.num_computed_tokens = num
        self.running.append(request)
        output = self.documents.tokens(self.documents.random.randint(1, 6))
        request.append_output_token_ids(output)
        if manager.allocate_slots(request, len(output)):
            request.num_computed_tokens += len(output)

    def num_blocks(self) -> int:
        return len(self.manager.block_pool.cached_block_hash_to_block._cache)

    def probe(self, prompt, salt) -> int:
        return self.manager.get_computed_blocks(self.request(prompt, salt))[1]

    def batch(self, events):
        return self.events.KVEventBatch(ts=0.0, events=events)


class SGLangEngine:
    """One of SGLang's two trees."""

    def __init__(self, folder: Path, documents: Documents, unified: bool) -> None:
        sglang_peer.REAL = SGLANG
        modules = sglang_peer._modules(folder)
        self.events = importlib.import_module("sglang.srt.disaggregation.kv_events")
        pool = modules.pool
        modules.pool = lambda config, **more: pool(config, enable_kv_cache_events=True, **more)
        load = sglang_peer.load_unified if unified else sglang_peer.load_radix_cache
        self.peer = load(folder)(CacheConfig(NUM_BLOCKS, BLOCK_SIZE))
        self.documents, self.plain = documents, modules.RadixKey
        self.modules = modules

    def key(self, salt):
        return lambda tokens, limit: self.plain(tokens, limit=limit, cache_salt=salt)

    def step(self) -> list:
        peer, rng = self.peer, self.documents.random
        if rng.random() < 0.01:
            peer.tree.reset()
            peer.allocator.clear()
        else:
            prompt = self.documents.prompt()
            output = self.documents.tokens(rng.randint(1, 6))
            self.modules.RadixKey = self.key(self.documents.salt())
            everything = array("q", prompt + output)
            peer.serve(sglang_peer.Tokens(array("q", prompt), everything))
        return peer.tree.take_events()

    def num_blocks(self) -> int:
        size = self.peer.tree.total_size()
        return (size[0] if isinstance(size, tuple) else size) // BLOCK_SIZE

    def probe(self, prompt, salt) -> int:
        key = self.key(salt)(array("q", prompt), len(prompt) - 1)
        match = self.peer.tree.match_prefix(self.modules.MatchPrefixParams(key=key))
        return match.device_prefix_len

    def batch(self, events):
        return self.events.KVEventBatch(ts=0.0, events=events)


ENGINES = {
    "vllm": VLLM_Engine,
    "sglang": lambda folder, documents: SGLangEngine(folder, documents, unified=False),
    "sglang-default": lambda folder, documents: SGLangEngine(folder, documents, unified=True),
}


def probes(engine, documents: Documents) -> list[dict]:
    made = []
    for _ in range(4):
        prompt, salt = documents.prompt(), documents.salt()
        made.append({"tokens": prompt, "salt": salt, "hit_tokens": engine.probe(prompt, salt)})
    return made


def stream(engine, documents: Documents, num: int) -> None:
    encoder, seq = msgspec.msgpack.Encoder(), 0
    for number in range(num):
        events = engine.step()
        if events:
            batch = engine.batch(events)
            setattr(batch, batch.__struct_fields__[2], 0)  # its publisher fills the rank in
            print(json.dumps({"seq": seq, "payload": encoder.encode(batch).hex()}))
            seq += 1
        if number % 5 == 0:
            print(json.dumps({"probes": probes(engine, documents)}))


def publish(engine, documents: Documents, num: int) -> None:
    from socket import socket

    ports = [socket() for _ in range(2)]
    for port in ports:
        port.bind(("127.0.0.1", 0))
    numbers = [port.getsockname()[1] for port in ports]
    for port in ports:
        port.close()
    engine.events.KVEventsConfig = SimpleNamespace
    publisher = engine.events.ZmqEventPublisher(
        0, f"tcp://*:{numbers[0]}", f"tcp://*:{numbers[1]}", topic="kv"
    )
    print(json.dumps([f"tcp://127.0.0.1:{number}" for number in numbers]), flush=True)
    sys.stdin.readline()
    for _ in range(num):
        if events := engine.step():
            publisher.publish(engine.batch(events))
    made = [probe for _ in range(100) for probe in probes(engine, documents)]
    print(json.dumps({"num_blocks": engine.num_blocks(), "probes": made}), flush=True)
    sys.stdin.readline()
    publisher.shutdown()


def decode(engine) -> None:
    decoder = msgspec.msgpack.Decoder(engine.events.KVEventBatch)
    for line in sys.stdin:
        batch = decoder.decode(bytes.fromhex(line))
        events = [{"type": type(e).__name__} | msgspec.structs.asdict(e) for e in batch.events]
        print(json.dumps([batch.ts, events, getattr(batch, batch.__struct_fields__[2])]))


def main(name: str, folder: str, action: str, *numbers: str) -> None:
    seed, num = map(int, numbers or ("0", "0"))
    documents = Documents(seed)
    engine = ENGINES[name](Path(folder), documents)
    {"stream": lambda: stream(engine, documents, num),
     "publish": lambda: publish(engine, documents, num),
     "decode": lambda: decode(engine)}[action]()  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
