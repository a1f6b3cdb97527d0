"""A talk of three turns with a tool and a picture by the `openai` client: chats and responses."""

import openai

client = openai.OpenAI()
SYSTEM = "You answer questions about a depot.\nUse the tool for numbers. " + "Be brief. " * 20
TOOL = {
    "name": "count_pallets",
    "description": "Count the pallets in a depot.",
    "parameters": {
        "type": "object",
        "properties": {
            "depot": {"type": "string", "description": "Name of the depot"},
            "empty": {"type": "boolean"},
        },
        "required": ["depot"],
    },
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)
tools = [{"type": "function", "function": TOOL}]
messages = [{"role": "developer", "content": SYSTEM}]
for question in ("How many pallets are left?", "And on Monday – still “41”?", "Thanks, ça va!"):
    messages.append({"role": "user", "name": "ida", "content": question})
    for _ in range(2):
        reply = client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=tools, temperature=0
        )
        message = reply.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"pallets": 41}'})

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[
        {"role": "system", "content": SYSTEM},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is on the label?"},
                {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            ],
        },
    ],
    response_format={
        "type": "json_schema",
        "json_schema": {
            "name": "label",
            "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
        },
    },
)
client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Stream this."}],
    stream=True,
    stream_options={"include_usage": True},
).close()

items = [{"role": "user", "content": "How many pallets are left?"}]
for _ in range(2):
    reply = client.responses.create(
        model="gpt-4o-mini",
        instructions=SYSTEM,
        input=items,
        tools=[{"type": "function", "strict": False, **TOOL}],
        reasoning={"effort": "low"},
    )
    items += [item.model_dump(exclude_none=True) for item in reply.output]
    items += [
        {"type": "function_call_output", "call_id": item.call_id, "output": "41"}
        for item in reply.output
        if item.type == "function_call"
    ]
