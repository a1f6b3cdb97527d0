"""Anthropic's message bodies as text: tools, then the system prompt, then the messages.

If `tool_choice` or `thinking` changes, the tools and the system prompt can still be shared, but the
messages cannot. So both fields are written between the system prompt and the messages.
"""

from typing import Any

from radixlab.why.bodies.messages import open_answer, write_content, write_message
from radixlab.why.bodies.openai import write_tools
from radixlab.why.bodies.writing import Writer, objects
from radixlab.why.errors import BadLineError

BEFORE_MESSAGES = ("tool_choice", "thinking", "output_config")
"""Parameters whose change makes the messages a different prefix."""
ANTHROPIC_BLOCKS = (
    "tool_use", "tool_result", "thinking", "redacted_thinking", "document", "search_result"
)  # fmt: skip
"""Types of blocks that only Anthropic's bodies have."""
OPENAI_ROLES = ("system", "developer", "tool", "function")


def write_anthropic(writer: Writer, body: dict[str, Any]) -> None:
    """Write the body of `/v1/messages`."""
    write_tools(writer, body, "mcp_servers")
    write_tools(writer, body, "tools")
    if body.get("system"):
        writer.open(("system",), "system")
        write_content(writer, body["system"], ("system",))
    for field in BEFORE_MESSAGES:
        if body.get(field) is not None:
            writer.open((field,), field)
            writer.value((field,), body[field])
    turns = objects(("messages",), body.get("messages"))
    if not turns:
        raise BadLineError("messages is empty")
    for index, message in enumerate(turns):
        write_message(writer, message, ("messages", index))
    writer.mark(body)  # asks for caching at the end, wherever that is
    open_answer(writer, turns[-1])


def is_anthropic(body: dict[str, Any], url: str) -> bool:
    """Whether a body with messages is Anthropic's; else it is OpenAI's."""
    if url:
        if url.endswith("/messages"):
            return True
        if url.endswith("/chat/completions"):
            return False
    if "system" in body or "anthropic_version" in body:
        return True
    tools = body.get("tools")
    if type(tools) is list and tools and type(tools[0]) is dict:
        return "input_schema" in tools[0]
    model, said = body.get("model"), False
    for message in body["messages"] if type(body["messages"]) is list else ():
        if type(message) is not dict or message.get("role") in OPENAI_ROLES:
            return False
        content = message.get("content")
        for block in content if type(content) is list else ():
            said |= type(block) is dict and block.get("type") in ANTHROPIC_BLOCKS
    return said or (type(model) is str and model.startswith("claude"))
