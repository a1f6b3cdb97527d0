"""Conversations of every shape that chat templates know, and what goes with them."""

from datetime import datetime

NOON = datetime(2026, 3, 5, 12, 30, 45)
SYSTEM = {"role": "system", "content": 'Be brief; "quotes" & <tags> too.'}
QUESTION = {"role": "user", "content": " Was ist ein Präfix?\n☃ 😀 "}
ANSWER = {"role": "assistant", "content": "What two prompts begin with.\n\n"}
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look a word up.",
        "parameters": {
            "type": "object",
            "properties": {"word": {"type": "string", "description": "é <b>"}},
            "required": ["word"],
        },
    },
}
CALL = {
    "id": "call12345",
    "type": "function",
    "function": {"name": "look_up", "arguments": {"word": "Präfix"}},
}
TEXT_CALL = {**CALL, "function": {"name": "look_up", "arguments": '{"word": "x"}'}}
RESULT = {"role": "tool", "tool_call_id": "call12345", "name": "look_up", "content": "a beginning"}
DOCUMENT = {"title": "Trees", "text": "A radix tree shares prefixes."}

TALKS = {
    "a question": ([QUESTION], {}),
    "with a system": ([SYSTEM, QUESTION], {}),
    "several turns": ([SYSTEM, QUESTION, ANSWER, QUESTION, ANSWER, QUESTION], {}),
    "without a prompt": ([QUESTION, ANSWER], {"add_generation_prompt": False}),
    "with tools": ([SYSTEM, QUESTION], {"tools": [TOOL]}),
    "a tool is called": (
        [QUESTION, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT],
        {"tools": [TOOL]},
    ),
    "a tool is called by text": (
        [QUESTION, {"role": "assistant", "content": "", "tool_calls": [TEXT_CALL]}, RESULT, ANSWER],
        {"tools": [TOOL, TOOL]},
    ),
    "with documents": ([QUESTION], {"documents": [DOCUMENT]}),
    "content in parts": (
        [
            {
                "role": "user",
                "content": [{"type": "text", "text": "one"}, {"type": "text", "text": ""}],
            }
        ],
        {},
    ),
    "thinking": (
        [QUESTION, {**ANSWER, "reasoning_content": "Hm.\n"}, QUESTION],
        {"enable_thinking": True},
    ),
    "not thinking": (
        [QUESTION, {**ANSWER, "thinking": "Hm."}, QUESTION],
        {"enable_thinking": False},
    ),
    "two users": ([QUESTION, QUESTION], {}),
    "another role": ([{"role": "critic", "content": "No."}, QUESTION], {}),
    "no content": ([{"role": "user"}], {}),
    "nothing": ([], {}),
}
