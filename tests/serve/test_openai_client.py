"""The official client, unchanged, against the server: what it gets, and what it raises."""

import asyncio

import pytest

from radixlab.serve.bodies import CompletionBody
from radixlab.serve.sampling import sampling_params
from tests.serve.helpers import SHEET, TEXT, events_of, expected, idle, served, tiny

openai = pytest.importorskip("openai", reason="openai is not installed: the extra `serve` has it")
ASKED = {"model": "tiny", "prompt": TEXT, "temperature": 0, "max_tokens": 12}
TALK = [
    {"role": "system", "content": SHEET.text},
    {"role": "user", "content": SHEET.facts[1].question},
]


@pytest.fixture(scope="module")
def server():
    with served(api_key="secret", served_model_name=("tiny", "alias")) as client:
        yield client
        assert idle(client)


@pytest.fixture(scope="module")
def client(server):
    with server.openai() as client:
        yield client


def test_models(client):
    assert [model.id for model in client.models.list()] == ["tiny", "alias"]
    assert client.models.retrieve("alias").id == "alias"


def test_a_completion_is_what_the_engine_says_without_a_cache(client):
    wanted = expected([TEXT], max_tokens=12)[TEXT]
    for _ in range(2):
        answer = client.completions.create(**ASKED)
        assert answer.choices[0].text == wanted.text
        assert answer.choices[0].finish_reason == wanted.finish_reason
        assert answer.usage.prompt_tokens == wanted.num_prompt_tokens
        assert answer.usage.completion_tokens == len(wanted.token_ids)
        assert answer.usage.total_tokens == wanted.num_prompt_tokens + len(wanted.token_ids)
    num_whole = (wanted.num_prompt_tokens - 1) // 16 * 16
    assert answer.usage.prompt_tokens_details.cached_tokens == num_whole


def test_a_stream_joins_to_the_whole_answer(client):
    whole = client.completions.create(**ASKED)
    chunks = list(
        client.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    )
    *parts, last = chunks
    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text
    assert [part.choices[0].finish_reason for part in parts][-2:] == [
        None,
        whole.choices[0].finish_reason,
    ]
    assert last.choices == [] and last.usage.completion_tokens == whole.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_chat_answers_the_question(client):
    answer = client.chat.completions.create(model="tiny", messages=TALK, temperature=0)
    assert answer.choices[0].message.content.strip() == SHEET.facts[1].sentence
    assert answer.choices[0].finish_reason == "stop"


def test_a_chat_streams(client):
    asked = {"model": "tiny", "messages": TALK, "temperature": 0, "max_completion_tokens": 30}
    chunks = list(client.chat.completions.create(**asked, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.strip() == SHEET.facts[1].sentence
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_clients_own_stream_helper_works(client):
    with client.chat.completions.stream(model="tiny", messages=TALK, temperature=0) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.content.strip() == SHEET.facts[1].sentence


def test_n_answers_are_forks_of_one_prompt(server, client):
    client.completions.create(**ASKED)  # so that the prompt is cached
    before = server.metrics()
    asked = {**ASKED, "temperature": 3.0, "seed": 3, "n": 4}
    whole = client.completions.create(**asked)
    streamed = ["", "", "", ""]
    for chunk in client.completions.create(**asked, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].text
    assert [choice.text for choice in whole.choices] == streamed and len(set(streamed)) > 1
    assert whole.usage.prompt_tokens == client.completions.create(**ASKED).usage.prompt_tokens
    after = server.metrics()
    assert after["copied_blocks_total"] > before["copied_blocks_total"]


def test_several_prompts_get_one_answer_each_in_order(client):
    prompts = [SHEET.prompt(fact) for fact in SHEET.facts[:3]]
    wanted = expected(prompts, max_tokens=9)
    ids = [[5, 6, 7], [8, 9]]
    answer = client.completions.create(model="tiny", prompt=prompts, temperature=0, max_tokens=9)
    assert [choice.text for choice in answer.choices] == [wanted[p].text for p in prompts]
    answer = client.completions.create(model="tiny", prompt=ids, n=2, max_tokens=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.usage.prompt_tokens == 5


def test_stop_strings(client):
    whole = client.completions.create(**ASKED).choices[0].text
    stop = whole[4:7]
    answer = client.completions.create(**ASKED, stop=["no such text", stop]).choices[0]
    assert (answer.text, answer.finish_reason) == (whole[: whole.index(stop)], "stop")
    assert client.completions.create(**ASKED, stop=stop).choices[0].text == answer.text


def test_a_stop_token_is_named(client):
    ids = expected([TEXT], max_tokens=12)[TEXT].token_ids
    extra = {"stop_token_ids": [ids[3]]}
    answer = client.completions.create(**ASKED, extra_body=extra).choices[0]
    assert (answer.finish_reason, answer.stop_reason) == ("stop", ids[3])


def log_probabilities(client, is_stream):
    """What a completion and a chat say of the same greedy tokens, as (text, value, likeliest)."""
    top = client.completions.create(**ASKED, logprobs=3, stream=is_stream)
    parts = [chunk.choices[0].logprobs for chunk in top] if is_stream else [top.choices[0].logprobs]
    for part in filter(None, parts):
        rows = zip(part.tokens, part.token_logprobs, part.top_logprobs, strict=True)
        yield from ((text, value, sorted(likely.items())) for text, value, likely in rows)


@pytest.mark.parametrize("is_stream", [False, True])
def test_log_probabilities_are_the_models_own(client, is_stream):
    wanted = expected([TEXT], max_tokens=12, logprobs=3)[TEXT]
    found = list(log_probabilities(client, is_stream))
    tokenizer = tiny()[0]
    assert [text for text, _, _ in found] == [tokenizer.decode([i]) for i in wanted.token_ids]
    for (_, value, likely), one in zip(found, wanted.logprobs, strict=True):
        assert value == pytest.approx(one.logprob, abs=0.02)
        assert max(value for _, value in likely) == pytest.approx(one.top[0][1], abs=0.02)


def test_log_probabilities_of_a_completion_say_where_each_token_stands(client):
    whole = client.completions.create(**ASKED, logprobs=0)
    found, streamed = whole.choices[0].logprobs, []
    for chunk in client.completions.create(**ASKED, logprobs=0, stream=True):
        streamed += chunk.choices[0].logprobs.text_offset
    assert found.text_offset[0] == 0 and sorted(found.text_offset) == found.text_offset
    assert len(streamed) == len(found.text_offset) and all(not top for top in found.top_logprobs)


@pytest.mark.parametrize("is_stream", [False, True])
def test_log_probabilities_of_a_chat_carry_bytes(client, is_stream):
    asked = {"model": "tiny", "messages": TALK, "temperature": 0, "max_tokens": 6}
    answer = client.chat.completions.create(
        **asked, logprobs=True, top_logprobs=2, stream=is_stream
    )
    chunks = answer if is_stream else [answer]
    found = [
        each for c in chunks if c.choices[0].logprobs for each in c.choices[0].logprobs.content
    ]
    assert len(found) == 6
    for each in found:
        assert bytes(each.bytes).decode() == each.token and len(each.top_logprobs) == 2
        assert each.logprob == pytest.approx(each.top_logprobs[0].logprob)


SAMPLING = {
    "min_tokens": ({"min_tokens": 40, "max_tokens": 40}, {}),
    "ignore_eos": ({"ignore_eos": True, "max_tokens": 40}, {}),
    "min_p": ({"min_p": 1.0, "temperature": 1.5}, {}),
    "top_k": ({"top_k": 1, "temperature": 1.5}, {}),
    "all of them": ({"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}, {}),
    "repetition_penalty": ({"repetition_penalty": 1.5}, {}),
    "presence_penalty": ({"presence_penalty": 1.5}, {}),
    "frequency_penalty": ({"frequency_penalty": -1.5}, {}),
    "logit_bias": ({"logit_bias": {"7": 100}}, {"logit_bias": {7: 100}}),
    "stop": ({"stop": ["lives", "."]}, {}),
}


@pytest.mark.parametrize("fields, params", SAMPLING.values(), ids=SAMPLING)
def test_a_field_means_what_the_engines_parameter_means(server, fields, params):
    asked = {"temperature": 0, "max_tokens": 12, "seed": 5, **fields}
    wanted = expected([TEXT], **{**asked, **params})[TEXT]
    answer = server.complete(TEXT, **asked)
    assert answer["choices"][0]["text"] == wanted.text
    assert answer["choices"][0]["stop_reason"] == wanted.stop_reason
    assert answer["usage"]["completion_tokens"] == len(wanted.token_ids)


def test_what_is_left_open_is_as_the_folder_says_and_else_as_openai_has_it():
    body = CompletionBody(model="tiny", prompt="a")
    assert sampling_params(body, 5, {}, 549).temperature == 1.0
    params = sampling_params(body, 5, {"temperature": 0.6, "top_p": 0.9}, 549)
    assert not params.chosen("temperature") and not params.chosen("top_p")
    greedy = CompletionBody(model="tiny", prompt="a", temperature=0)
    assert sampling_params(greedy, 5, {"temperature": 0.6}, 549).chosen("temperature")


ERRORS = {
    "too many log probabilities": (openai.BadRequestError, {"logprobs": 21}, "logprobs"),
    "a bias of no token": (openai.BadRequestError, {"logit_bias": {"x": 1}}, "logit_bias"),
    "a bias of an unknown token": (
        openai.BadRequestError,
        {"logit_bias": {"549": 1}},
        "logit_bias",
    ),
    "more least than most tokens": (
        openai.BadRequestError,
        {"extra_body": {"min_tokens": 13}},
        "min_tokens",
    ),
    "a field of the wrong type": (openai.BadRequestError, {"max_tokens": "7"}, "max_tokens"),
    "a value out of range": (openai.BadRequestError, {"top_p": 1.5}, "top_p"),
    "another model": (openai.NotFoundError, {"model": "gpt-4"}, "model"),
    "too long an answer": (openai.BadRequestError, {"max_tokens": 5000}, "max_tokens"),
    "an unknown field": (openai.BadRequestError, {"extra_body": {"beam": 1}}, "beam"),
    "an unsupported field": (openai.BadRequestError, {"suffix": "x"}, "suffix"),
    "too many answers": (openai.BadRequestError, {"n": 129}, "n"),
}


@pytest.mark.parametrize("kind, fields, param", ERRORS.values(), ids=ERRORS)
def test_mistakes_are_the_clients_own_exceptions(client, kind, fields, param):
    with pytest.raises(kind) as caught:
        client.completions.create(**{**ASKED, **fields})
    assert caught.value.param == param and caught.value.type and caught.value.message


def test_a_wrong_key_is_an_authentication_error(client):
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong").models.list()
    assert caught.value.code == "invalid_api_key"


def test_too_long_a_prompt_has_openais_code(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model="tiny", prompt=[7] * 3000)
    assert caught.value.code == "context_length_exceeded"


def test_the_async_client_asks_many_at_once(server):
    prompts = [SHEET.prompt(fact) for fact in SHEET.facts]
    wanted = expected(prompts, max_tokens=8)

    async def ask_all():
        url = f"{server.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="secret", max_retries=0) as client:
            asked = {"model": "tiny", "temperature": 0, "max_tokens": 8}
            asks = [client.completions.create(prompt=prompt, **asked) for prompt in prompts]
            return [answer.choices[0].text for answer in await asyncio.gather(*asks)]

    assert asyncio.run(ask_all()) == [wanted[prompt].text for prompt in prompts]


def test_an_answer_names_its_request(client):
    raw = client.completions.with_raw_response.create(**ASKED)
    assert raw.headers["x-request-id"] == raw.parse().id


@pytest.mark.parametrize("chat", [False, True])
def test_every_chunk_counts_if_asked_to(server, chat):
    """As vLLM has it; guidellm counts tokens by it."""
    given = {"messages": [{"role": "user", "content": TEXT}]} if chat else {"prompt": TEXT}
    body = {"model": "tiny", **given, "max_tokens": 6, "temperature": 0, "stream": True}
    path = "/v1/chat/completions" if chat else "/v1/completions"
    options = {"include_usage": True, "continuous_usage_stats": True}
    events = events_of(server.send(path, {**body, "stream_options": options})[2])
    said = [event["usage"] for event in events if event["choices"]]
    counts = [usage["completion_tokens"] for usage in said if usage]
    assert counts == sorted(counts) and len(counts) >= len(said) - 1
    last = events[-1]
    assert last["choices"] == [] and last["usage"] == [usage for usage in said if usage][-1]
    plain = events_of(
        server.send(path, {**body, "stream_options": {"continuous_usage_stats": True}})[2]
    )
    assert all("usage" not in event for event in plain)
