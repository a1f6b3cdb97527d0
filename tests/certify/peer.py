"""A server in a function: a prefix cache over token ids, and answers that depend on the prompt.

It is no copy of our server: its cache is a set of prefixes, and its model is a sum. It plays other
servers: with other block sizes, with a minimum, with text or chats only, with adapters, with
log probabilities of prompts, and with faults.
"""

import json
import threading
from collections import Counter

import httpx

from radixlab.certify import Options, certify

BOS, HEAD, TAIL = [1], [2, 3], [4, 5]


class Peer:
    """Answers requests; subclasses do one thing differently."""

    step = 16
    minimum = 0
    vocabulary = 32_000
    max_len: int | None = 4096
    takes = ("ids", "text", "chat")
    has_tokenizer = True
    has_salts = True
    has_reset = True
    has_page = True
    has_logprobs = True
    has_prompt_logprobs = True
    reports_cached = True
    adapters: tuple[str, ...] = ("lora",)
    block_size_on_page = True

    def __init__(self):
        self.prefixes = set()
        self.counts = Counter()
        self.statuses = Counter()
        self.lock = threading.Lock()
        self.sent = 0

    def transport(self):
        return httpx.MockTransport(self.handle)

    def examine(self, only=(), **options):
        given = {"seed": "fixed", "patience_s": 0.3, "transport": self.transport(), **options}
        return certify("http://peer", only, Options(**given))

    # ---- HTTP

    def handle(self, request):
        with self.lock:
            response = self.route(request)
            self.statuses[response.status_code] += 1
            return response

    def route(self, request):
        path, method = request.url.path, request.method
        if path == "/v1/models":
            return httpx.Response(200, json={"object": "list", "data": [*self.models()]})
        if path == "/metrics" and self.has_page:
            return httpx.Response(200, text=self.page())
        if path == "/reset_prefix_cache" and method == "POST" and self.has_reset:
            self.reset()
            return httpx.Response(200, json={"success": True})
        if method != "POST":
            return self.error(404, "unknown path")
        try:
            body = json.loads(request.content)
        except ValueError:
            return self.error(400, "malformed JSON")
        if path == "/tokenize" and self.has_tokenizer:
            return httpx.Response(200, json={"tokens": self.tokens(body)})
        if path == "/v1/completions" and {"ids", "text"} & {*self.takes}:
            return self.complete(body, is_chat=False)
        if path == "/v1/chat/completions" and "chat" in self.takes:
            return self.complete(body, is_chat=True)
        return self.error(404, "unknown path")

    def models(self):
        yield {"id": "base", "max_model_len": self.max_len, "parent": None}
        for name in self.adapters:
            yield {"id": name, "max_model_len": self.max_len, "parent": "base"}

    def error(self, status, message):
        kind = "invalid_request_error"
        found = {"message": message, "type": kind, "param": None, "code": None}
        return httpx.Response(status, json={"error": found})

    def wrong(self, body):
        """Why a body cannot be served; None if it can."""
        if body.get("model") not in ("base", *self.adapters):
            return "no such model"
        if not isinstance(body.get("max_tokens"), int):
            return "max_tokens must be a number"
        if not isinstance(body.get("temperature", 1), int) or body["temperature"] < 0:
            return "temperature must be a number from 0"
        if "cache_salt" in body and not self.has_salts:
            return "unknown field: cache_salt"
        if not body.get("prompt") and not body.get("messages"):
            return "no prompt"
        is_ids = isinstance(body.get("prompt"), list)
        if "prompt" in body and ("ids" if is_ids else "text") not in self.takes:
            return "prompts of this kind are not taken"
        if is_ids and max(body["prompt"]) >= self.vocabulary:
            return "no such token"
        if self.max_len and len(self.tokens(body)) + body["max_tokens"] > self.max_len:
            return "too long"
        return None

    # ---- tokens

    def tokens(self, body):
        if "messages" in body:
            turns = [[*HEAD, *self.words(turn["content"]), *TAIL] for turn in body["messages"]]
            return [token for turn in turns for token in turn]
        prompt = body["prompt"]
        return prompt if isinstance(prompt, list) else [*BOS, *self.words(prompt)]

    def words(self, text):
        parts = [word[at : at + 2] for word in text.split() for at in range(0, len(word), 2)]
        return [10 + sum(ord(c) * 31**i for i, c in enumerate(part)) % 20_000 for part in parts]

    # ---- the cache

    def namespace(self, body):
        return body["model"], body.get("cache_salt")

    def whole(self, number):
        found = number // self.step * self.step
        return found if found >= self.minimum else 0

    def found(self, namespace, tokens):
        most = self.whole(len(tokens) - 1)
        return next((k for k in range(most, 0, -self.step) if self.key(namespace, tokens[:k])), 0)

    def key(self, namespace, tokens):
        return len(tokens) >= self.minimum and (namespace, tuple(tokens)) in self.prefixes

    def store(self, namespace, tokens):
        for k in range(self.step, len(tokens) + 1, self.step):
            self.prefixes.add((namespace, tuple(tokens[:k])))

    def reset(self):
        self.prefixes.clear()

    def cached_of(self, found, tokens, body):
        """What usage says of what was found."""
        return found

    # ---- answers

    def next_token(self, tokens, body, found):
        biased = body.get("logit_bias")
        return int(next(iter(biased))) if biased else 10 + sum(tokens) * 7919 % 1000

    def complete(self, body, is_chat):
        if why := self.wrong(body):
            return self.error(404 if why == "no such model" else 400, why)
        tokens, namespace, n = [*self.tokens(body)], self.namespace(body), body.get("n", 1)
        found = self.found(namespace, tokens)
        answer = []
        for _ in range(body["max_tokens"]):
            answer.append(self.next_token([*tokens, *answer], body, found))
        self.store(namespace, [*tokens, *answer[:-1]])
        self.count(tokens, found)
        usage = {
            "prompt_tokens": len(tokens),
            "completion_tokens": n * len(answer),
            "total_tokens": len(tokens) + n * len(answer),
        }
        if self.reports_cached:
            cached = self.cached_of(found, tokens, body)
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        choices = [self.choice(body, tokens, answer, found, is_chat) for _ in range(n)]
        choices = [{**choice, "index": index} for index, choice in enumerate(choices)]
        if not body.get("stream"):
            self.generated(n * len(answer))
            return httpx.Response(200, json=self.whole_answer(choices, usage))
        return httpx.Response(200, content=self.stream(choices, usage, is_chat))

    def whole_answer(self, choices, usage):
        self.sent += 1
        return {"id": f"c{self.sent}", "choices": choices, "usage": usage}

    def choice(self, body, tokens, answer, found, is_chat):
        text = "".join(f" w{token}" for token in answer)
        made = {"finish_reason": "length", "logprobs": None}
        made |= {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
        if self.has_logprobs and body.get("logprobs"):
            prompt = tokens if body.get("echo") and self.has_prompt_logprobs else []
            made["logprobs"] = self.logprobs(prompt, answer, found, is_chat)
        return made

    def logprobs(self, prompt, answer, found, is_chat):
        names = [f"w{token}" for token in (*prompt, *answer)]
        values = [*self.prompt_values(prompt, found), *[-0.1] * len(answer)]
        if is_chat:
            top = [{"token": "other", "logprob": -3.0}]
            content = [
                {"token": n, "logprob": v, "top_logprobs": top}
                for n, v in zip(names, values, strict=True)
            ]
            return {"content": content}
        return {
            "tokens": names,
            "token_logprobs": values,
            "top_logprobs": [{name: -0.1, "other": -3.0} for name in names],
        }

    def prompt_values(self, prompt, found):
        return [-(token % 7) / 2 for token in prompt]

    def stream(self, choices, usage, is_chat):
        for choice in choices:
            message = choice.get("message") or {}
            words = (message.get("content") or choice.get("text")).split(" ")[1:]
            for number, word in enumerate(words):
                is_last = number == len(words) - 1
                part = {"index": choice["index"], "finish_reason": "length" if is_last else None}
                self.generated(1)
                part |= {"delta": {"content": f" {word}"}} if is_chat else {"text": f" {word}"}
                yield event({"choices": [part]})
        yield event({"choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    # ---- the page, with vLLM's names

    def generated(self, number):
        self.counts["vllm:generation_tokens_total"] += number

    def count(self, tokens, found):
        self.counts["vllm:prefix_cache_queries_total"] += len(tokens)
        self.counts["vllm:prefix_cache_hits_total"] += found
        self.counts["vllm:prompt_tokens_total"] += len(tokens)
        self.counts["vllm:request_success_total"] += 1

    def page(self):
        lines = []
        for name, value in self.counts.items():
            lines += [f"# TYPE {name} counter", f"{name} {value}"]
        for name in ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"):
            lines += [f"# TYPE vllm:{name} gauge", f"vllm:{name} 0"]
        if self.block_size_on_page:
            labels = f'block_size="{self.step}",num_gpu_blocks="None"'
            lines += [
                "# TYPE vllm:cache_config_info gauge",
                f"vllm:cache_config_info{{{labels}}} 1",
            ]
        return "\n".join(lines) + "\n"


def event(fields):
    return f"data: {json.dumps(fields)}\n\n".encode()
