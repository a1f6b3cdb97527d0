"""Many clients at once: good ones, slow ones, rude ones, and ones that leave in the middle.

Whatever they do, every greedy answer is what a run without a cache says, and in the end nothing is
left of any of them.
"""

import asyncio
import gc
import json
import random
import resource
import socket
import time
from collections import Counter

import pytest

from radixlab.serve.job import Job
from radixlab.serve.mailbox import Mailbox
from radixlab.serve.reply import Reply
from tests.serve.helpers import SHEET, expected, idle, served, wait_until

KEY = "secret"
PROMPTS = [SHEET.prompt(fact) for fact in SHEET.facts]
LIMIT = 20_000


async def talk(port, body, key=KEY, num_bytes=None, path="/v1/completions", small=False):
    """Open a connection and send a request; return what reads and writes it."""
    peer = socket.socket()
    if small:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=peer)
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {key}", f"Content-Length: {num_bytes or len(body)}"]
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
    return reader, writer


async def whole(port, body, **options):
    """Return the status and the body of an answer."""
    reader, writer = await talk(port, body, **options)
    try:
        raw = await reader.read()
    finally:
        writer.close()
    head, _, rest = raw.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head else 0
    return status, rest if b"chunked" not in head.lower() else unchunked(rest)


def unchunked(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        number = int(size, 16)
        out, data = out + data[:number], data[number + 2 :]
    return out


def completion(prompt, **fields):
    return json.dumps(
        {"model": "tiny", "prompt": prompt, "temperature": 0, "max_tokens": 24, **fields}
    ).encode()


class Crowd:
    """Clients that ask at random, until told to stop."""

    def __init__(self, port, wanted, seed):
        self.port, self.wanted = port, wanted
        self.random = random.Random(seed)
        self.done = Counter()

    async def client(self, number, goes_on):
        while goes_on():
            kind = self.random.choice(KINDS)
            await getattr(self, kind)()
            self.done[kind] += 1

    def draw(self):
        prompt = self.random.choice(PROMPTS)
        salt = self.random.choice([None, None, "a", "b"])
        return prompt, {"cache_salt": salt}

    async def good(self):
        prompt, fields = self.draw()
        status, answer = await whole(self.port, completion(prompt, **fields))
        if status != 429:
            assert status == 200, answer
            self.check(prompt, json.loads(answer)["choices"][0]["text"])

    async def streamed(self):
        prompt, fields = self.draw()
        status, answer = await whole(self.port, completion(prompt, stream=True, **fields))
        if status != 429:
            *events, last, _ = answer.split(b"\n\n")
            assert (status, last) == (200, b"data: [DONE]"), answer[-300:]
            self.check(prompt, "".join(texts(events)))

    async def slow(self):
        prompt, fields = self.draw()
        body = completion(prompt, stream=True, n=2, **fields)
        reader, writer = await talk(self.port, body, small=True)
        raw = b""
        while part := await reader.read(400):
            raw += part
            await asyncio.sleep(self.random.random() / 100)
        writer.close()
        head, _, rest = raw.partition(b"\r\n\r\n")
        if b" 429 " not in head:
            assert b" 200 " in head and unchunked(rest).endswith(b"[DONE]\n\n")

    async def leaving(self):
        prompt, fields = self.draw()
        body = completion(prompt, stream=self.random.random() < 0.7, ignore_eos=True, **fields)
        reader, writer = await talk(self.port, body)
        for _ in range(self.random.randrange(4)):
            await reader.readline()
        writer.transport.abort()

    async def cut_off(self):
        _, writer = await talk(self.port, completion("a"), num_bytes=5000)
        writer.transport.abort()

    async def oversize(self):
        assert (await whole(self.port, completion("a" * LIMIT)))[0] == 413

    async def malformed(self):
        for body in (b"{", b"[]", b'{"model": "tiny"}', b"\xff", completion("a", tools=[1])):
            status, answer = await whole(self.port, body)
            assert status == 400 and json.loads(answer)["error"]["message"]

    async def stranger(self):
        assert (await whole(self.port, completion("a"), key="wrong"))[0] == 401

    def check(self, prompt, text):
        assert text == self.wanted[prompt].text


KINDS = (
    *("good", "good", "good", "streamed", "streamed", "streamed", "slow", "leaving", "leaving"),
    *("cut_off", "oversize", "malformed", "stranger"),
)


def texts(events):
    for event in events:
        yield json.loads(event.removeprefix(b"data: "))["choices"][0]["text"]


def crowd(num_clients, goes_on, seed, during=None):
    """Let a crowd loose on a server with a small cache; return what it did."""
    wanted = expected(PROMPTS, max_tokens=24)
    settings = {"num_blocks": 64, "max_running": 16, "max_queue": 48, "swap_space": 2**20}
    with served(api_key=KEY, max_body_bytes=LIMIT, **settings) as client:
        people = Crowd(client.server.port, wanted, seed)

        async def all_of_them():
            asks = [people.client(number, goes_on(number)) for number in range(num_clients)]
            await asyncio.gather(*asks)

        asyncio.run(all_of_them())
        if during:
            during(client)
        assert wait_until(lambda: idle(client))
        after = client.metrics()
        assert after['blocks{state="in_use"}'] == after['blocks{state="in_transfer"}'] == 0
        assert after["num_requests_running"] == after["num_requests_waiting"] == 0
        assert client.server.llm.num_waiting == client.server.llm.num_open == 0
        assert wait_until(lambda: left_over() == [])
    return people.done


def left_over():
    """What is still in memory of requests that are over."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) in (Job, Mailbox, Reply)]


def test_a_few_clients_of_every_kind():
    def goes_on(number):
        left = iter(range(8))
        return lambda: next(left, None) is not None

    done = crowd(12, goes_on, seed=1)
    assert set(done) == set(KINDS)


@pytest.mark.soak
def test_sixty_four_clients_for_a_minute():
    sizes = []

    def goes_on(number):
        start = time.monotonic()

        def on():
            if number == 0:
                sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            return time.monotonic() < start + 60

        return on

    done = crowd(64, goes_on, seed=2)
    assert set(done) == set(KINDS) and sum(done.values()) > 300
    half = sizes[len(sizes) // 2]
    assert sizes[-1] < half + 60_000, f"{half} KiB after half of the time, {sizes[-1]} at its end"
    print(dict(done), sizes[0], half, sizes[-1])
