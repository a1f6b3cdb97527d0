"""Random bodies of chats as clients may send them, for tests of what is made of them."""

import json

from hypothesis import strategies as st

from radixlab.why.lines import Line
from radixlab.why.reading import read_line

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
names = st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
schemas = st.dictionaries(names, values, max_size=4)
functions = st.fixed_dictionaries({"name": names, "description": words, "parameters": schemas})
text_block = st.fixed_dictionaries(
    {"text": words}, optional={"type": st.just("text"), "citations": st.lists(schemas, max_size=2)}
)
calls = st.fixed_dictionaries(
    {
        "id": names,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": names, "arguments": words}),
    }
)
picture = st.fixed_dictionaries(
    {
        "type": st.just("image_url"),
        "image_url": st.fixed_dictionaries({"url": words, "detail": names}),
    }
)
openai_message = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": words}),
    st.fixed_dictionaries(
        {"role": st.just("user"), "content": st.lists(text_block | picture, max_size=3)},
        optional={"name": names},
    ),
    st.fixed_dictionaries(
        {
            "role": st.just("assistant"),
            "tool_calls": st.lists(calls, min_size=1, max_size=2),
        },
        optional={"content": words | st.none(), "reasoning_content": words, "refusal": words},
    ),
    st.fixed_dictionaries({"role": st.just("assistant"), "reasoning": words}),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": names, "content": words}),
)
openai_bodies = st.fixed_dictionaries(
    {
        "model": names,
        "messages": st.lists(openai_message, min_size=1, max_size=5).map(
            lambda messages: [*messages, {"role": "user", "content": "?"}]
        ),
    },
    optional={
        "tools": st.lists(
            st.fixed_dictionaries({"type": st.just("function"), "function": functions}), max_size=3
        ),
        "response_format": st.fixed_dictionaries(
            {"type": st.just("json_schema"), "json_schema": schemas}
        ),
    },
)
CACHED = st.fixed_dictionaries({}, optional={"cache_control": st.just({"type": "ephemeral"})})


def marked(block):
    return st.tuples(block, CACHED).map(lambda pair: pair[0] | pair[1])


tool_use = st.fixed_dictionaries(
    {"type": st.just("tool_use"), "id": names, "name": names, "input": schemas}
)
tool_result = st.fixed_dictionaries(
    {
        "type": st.just("tool_result"),
        "tool_use_id": names,
        "content": words | st.lists(text_block, max_size=2),
    },
    optional={"is_error": st.booleans()},
)
thought = st.fixed_dictionaries(
    {"type": st.just("thinking"), "thinking": words, "signature": words}
)
document = st.fixed_dictionaries(
    {
        "type": st.just("document"),
        "title": words,
        "source": st.fixed_dictionaries({"type": st.just("text"), "data": words}),
    }
)
blocks = st.lists(marked(text_block | tool_use | tool_result | thought | document), max_size=3)
anthropic_bodies = st.fixed_dictionaries(
    {
        "model": names.map("claude-{}".format),
        "max_tokens": st.just(9),
        "system": words | st.lists(marked(text_block), max_size=3),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant"]), "content": words | blocks}
            ),
            min_size=1,
            max_size=5,
        ).map(lambda messages: [*messages, {"role": "user", "content": "?"}]),
    },
    optional={
        "tools": st.lists(
            marked(
                st.fixed_dictionaries(
                    {"name": names, "description": words, "input_schema": schemas}
                )
            ),
            max_size=3,
        )
    },
)
chat_bodies = openai_bodies | anthropic_bodies


def line_of(fields, **how):
    """An object as a line of a log."""
    return Line(1, 0, json.dumps(fields, **how).encode())


def request_of(fields, **how):
    """The only request of an object."""
    (request,) = read_line(line_of(fields, **how))
    return request
