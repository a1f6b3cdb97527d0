"""From a body's prompt to token ids.

Long texts are tokenised in a thread, because the event loop must go on sending other requests'
tokens meanwhile.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from radixlab.cache.errors import TokenError
from radixlab.cache.tokens import TokenArray
from radixlab.escape import count
from radixlab.model.errors import ChatTemplateError, DoubledTokenError
from radixlab.model.tokenizer import Tokenizer
from radixlab.sched.door import check_ids
from radixlab.serve.bodies import CompletionBody, Message
from radixlab.serve.errors import bad_request
from radixlab.serve.facts import Facts

T = TypeVar("T")
LONG = 2000
"""Characters above which a text is tokenised in a thread."""
TOO_LONG = "context_length_exceeded"
_POOL = ThreadPoolExecutor(2, thread_name_prefix="tokenizer")


class Prompts:
    """Reads prompts for one model."""

    def __init__(self, facts: Facts) -> None:
        self.most_tokens = facts.num_blocks * facts.block_size + 1
        """Most tokens of a prompt with its answer."""
        self._limit = f"the pool holds {facts.num_blocks} blocks of {facts.block_size} tokens"
        context = facts.max_context_len
        if context is not None and context <= self.most_tokens:
            self.most_tokens = context
            self._limit = f"this model's maximum context length is {context} tokens"
        self.defaults = facts.defaults
        """Sampling parameters that the model's folder states."""
        self.vocab_size = facts.vocab_size
        self.texts = facts.tokenizer
        """The tokenizer, if there is one."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; raises an `ApiError` if there is none."""
        if self.texts is None:
            raise bad_request("This model has no tokenizer: send token ids to /v1/completions.")
        return self.texts

    async def of_completion(self, body: CompletionBody) -> list[TokenArray]:
        """Return the token ids of all prompts of a completion."""
        prompt = body.prompt
        texts = [prompt] if isinstance(prompt, str) else prompt
        if isinstance(texts[0], int):
            texts = [texts]
        return [await self._read(each) for each in texts]

    async def of_chat(self, messages: list[Message], special: bool | None = None) -> TokenArray:
        """Return the token ids of a conversation, up to where the answer begins."""
        return await self._run(self._render, messages, special, True)

    async def of_text(
        self, messages: list[Message] | None, text: str, special: bool | None, is_asked: bool
    ) -> TokenArray:
        """Return the token ids of a conversation, or else of a text."""
        if messages:
            return await self._run(self._render, messages, special, is_asked)
        return await self._run(self._encode, text, special)

    async def text(self, tokens: list[int]) -> str:
        """Return the text of tokens; raise an `ApiError` for one that does not exist."""
        if tokens:
            self._check_ids(np.array(tokens, np.int32), "tokens")
        return await self._run(self.tokenizer.decode, tokens)

    async def _read(self, prompt: str | list[int]) -> TokenArray:
        if isinstance(prompt, str):
            return self.check(await self._run(self._encode, prompt, None))
        return self.check(np.array(prompt, np.int32))

    async def _run(self, function: Callable[..., T], what: object, *given: object) -> T:
        size = len(what) if isinstance(what, str) else LONG + 1  # a template may do anything
        if size <= LONG:
            return function(what, *given)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_POOL, function, what, *given)

    def _encode(self, text: str, special: bool | None) -> TokenArray:
        try:
            return self.tokenizer.encode(text, special)
        except (DoubledTokenError, TypeError, UnicodeError) as error:
            raise bad_request(f"The prompt cannot be encoded: {error}", "prompt") from None

    def _render(self, messages: list[Message], special: bool | None, is_asked: bool) -> TokenArray:
        turns = [message.plain() for message in messages]
        try:
            text = self.tokenizer.chat(turns, add_generation_prompt=is_asked)
            return self.tokenizer.encode(text, special)
        except ChatTemplateError as error:
            raise bad_request(str(error), "messages") from None

    def check(self, prompt: TokenArray, param: str = "prompt") -> TokenArray:
        """Return a prompt that the engine can serve; raise an `ApiError` for any other."""
        self._check_ids(prompt, param)
        if len(prompt) >= self.most_tokens:
            raise bad_request(
                f"The prompt has {count(len(prompt), 'token')} and leaves no room for an answer: "
                f"{self._limit}.",
                param,
                TOO_LONG,
            )
        return prompt

    def _check_ids(self, tokens: TokenArray, param: str) -> None:
        try:
            check_ids(tokens, self.vocab_size)
        except TokenError as error:
            raise bad_request(f"Invalid '{param}': {error}.", param) from None

    def max_tokens(self, prompts: list[TokenArray], asked: int | None, default: int | None) -> int:
        """Return the length of the longest answer; raise an `ApiError` if it cannot be as asked."""
        longest = max(map(len, prompts))
        room = self.most_tokens - longest
        if asked is None:
            return room if default is None else min(room, default)
        if asked > room:
            raise bad_request(
                f"The prompt has {count(longest, 'token')} and the answer may have {asked}, "
                f"together {longest + asked}: {self._limit}.",
                "max_tokens",
                TOO_LONG,
            )
        return asked
