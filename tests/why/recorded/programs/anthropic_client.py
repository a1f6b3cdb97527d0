"""A talk of three turns with a tool and cache breakpoints by the `anthropic` client."""

import anthropic

client = anthropic.Anthropic()
CACHED = {"cache_control": {"type": "ephemeral"}}
system = [
    {"type": "text", "text": "You answer questions about a depot."},
    {"type": "text", "text": "The rules:\n" + "1. Be brief.\n" * 30, **CACHED},
]
tools = [
    {
        "name": "count_pallets",
        "description": "Count the pallets in a depot.",
        "input_schema": {
            "type": "object",
            "properties": {"depot": {"type": "string"}},
            "required": ["depot"],
        },
    },
    {"name": "now", "description": "Tell the time.", "input_schema": {"type": "object"}, **CACHED},
]
messages = []
for question in ("How many pallets are left?", "And on Monday?", "Thanks, ça va!"):
    messages.append({"role": "user", "content": [{"type": "text", "text": question}]})
    for _ in range(2):
        marked = [*messages]
        last = {**marked[-1]["content"][-1], **CACHED}
        marked[-1] = {**marked[-1], "content": [*marked[-1]["content"][:-1], last]}
        reply = client.messages.create(
            model="claude-sonnet-4-5",
            max_tokens=2048,
            system=system,
            tools=tools,
            messages=marked,
            thinking={"type": "enabled", "budget_tokens": 1024},
        )
        messages.append({"role": "assistant", "content": reply.content})
        calls = [block for block in reply.content if block.type == "tool_use"]
        if not calls:
            break
        answers = [
            {"type": "tool_result", "tool_use_id": call.id,
             "content": [{"type": "text", "text": "41"}]}
            for call in calls
        ]  # fmt: skip
        messages.append({"role": "user", "content": answers})
client.messages.create(
    model="claude-sonnet-4-5",
    max_tokens=100,
    system="Plain.",
    messages=[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "The answer"}],
)
