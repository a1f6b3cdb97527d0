"""Clients inside this process, who ask a front without HTTP: for measurements and lessons."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radixlab.model.params import SamplingParams
from radixlab.serve.job import Job
from radixlab.serve.mailbox import Begun, EndedError, Part
from radixlab.serve.replicas.front import Front


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for one prompt."""

    num_prompt_tokens: int
    num_cached_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    error: str | None = None
    """Why there is no answer."""


async def ask(
    front: Front,
    prompt: Sequence[int],
    num_tokens: int,
    session: str | None = None,
    patience_s: float = 600.0,
    is_stream: bool = False,
) -> Answered:
    """Ask for an answer of a fixed length; give up after some seconds, as a client does."""
    mailbox = front.mailbox()
    params = SamplingParams(temperature=0.0, max_tokens=num_tokens, ignore_eos=True)
    tokens = np.array(prompt, np.int32)
    job = Job(tokens, params, 1, None, 0, mailbox, time.monotonic(), session, is_stream)
    cached, answer = 0, list[int]()
    try:
        front.submit([job])
        async with asyncio.timeout(patience_s):
            while True:
                for news in await mailbox.get():
                    if isinstance(news, Begun):
                        cached = news.num_cached_tokens
                    elif isinstance(news, Part):
                        answer += news.token_ids
                        if news.finish_reason:
                            return Answered(len(prompt), cached, tuple(answer))
    except TimeoutError:
        mailbox.close(EndedError("the client has lost patience"))
        return Answered(len(prompt), error="timeout")
    except EndedError as error:
        return Answered(len(prompt), error=str(error))
    finally:
        front.forget(mailbox)
