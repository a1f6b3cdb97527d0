"""Records the bodies that real programs send: a server on loopback that answers by a script.

    python record.py PROGRAM.py OUT.jsonl --python VENV/bin/python [--command "llm ..."]

The server speaks as much of OpenAI's and Anthropic's API as the programs need. Where a request has
tools and its last message is the user's, it answers with a call of the first tool; else with a
sentence. Each line of OUT has the time, the path and the body of one request, and the answer's
usage. Only bodies are written, no headers.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

SENTENCES = (
    "The depot in Halden has 41 pallets left.",
    "Two of them leave with the evening truck.",
    "Then 39 remain until Monday.",
    "Nothing else is planned for this week.",
)


def arguments_for(schema):
    """The simplest arguments that a schema allows."""
    plain = {"string": "Halden", "integer": 2, "number": 2.5, "boolean": True, "array": []}
    properties = schema.get("properties", {})
    chosen = schema.get("required") or list(properties)
    return {name: plain.get(properties[name].get("type", "string"), {}) for name in chosen}


def wants_call(body, last):
    is_users = last.get("role") == "user" and last.get("type") != "function_call_output"
    content = last.get("content")
    if isinstance(content, list) and any(block.get("type") == "tool_result" for block in content):
        is_users = False
    return bool(body.get("tools")) and is_users


def chat_answer(body, number):
    message = {"role": "assistant", "content": SENTENCES[number % 4], "refusal": None}
    reason = "stop"
    if wants_call(body, body["messages"][-1]):
        tool = body["tools"][0]["function"]
        written = json.dumps(arguments_for(tool.get("parameters", {})))
        function = {"name": tool["name"], "arguments": written}
        call = {"id": f"call_{number:04}", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "tool_calls"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 112,
                  "prompt_tokens_details": {"cached_tokens": 64}},
    }  # fmt: skip


def chat_chunks(answer):
    """The same answer as a stream."""
    choice = answer["choices"][0]
    message = dict(choice["message"])
    for index, call in enumerate(message.get("tool_calls") or ()):
        call["index"] = index
    head = {key: answer[key] for key in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    yield {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield {**head, "choices": [end], "usage": answer["usage"]}


def message_answer(body, number):
    content, reason = [{"type": "text", "text": SENTENCES[number % 4]}], "end_turn"
    if wants_call(body, body["messages"][-1]):
        tool = body["tools"][0]
        given = arguments_for(tool.get("input_schema", {}))
        call = {"type": "tool_use", "id": f"toolu_{number:04}", "name": tool["name"]}
        content, reason = [*content, {**call, "input": given}], "tool_use"
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 36, "output_tokens": 12, "cache_read_input_tokens": 64,
                  "cache_creation_input_tokens": 0},
    }  # fmt: skip


def message_events(answer):
    """The same answer as a stream."""
    usage = {**answer["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": {**answer, "content": [], "usage": usage}}
    for index, block in enumerate(answer["content"]):
        is_text = block["type"] == "text"
        empty = {**block, "text": ""} if is_text else {**block, "input": {}}
        delta = {"type": "text_delta", "text": block.get("text")}
        if not is_text:
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ends = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ends, "usage": {"output_tokens": 12}}
    yield {"type": "message_stop"}


def response_answer(body, number):
    asked = body["input"]
    last = {"role": "user"} if isinstance(asked, str) else asked[-1]
    text = {"type": "output_text", "text": SENTENCES[number % 4], "annotations": []}
    output = [{"type": "message", "id": f"msg_{number}", "role": "assistant",
               "status": "completed", "content": [text]}]  # fmt: skip
    if wants_call(body, last):
        tool = next(tool for tool in body["tools"] if tool["type"] == "function")
        written = json.dumps(arguments_for(tool.get("parameters", {})))
        output = [{"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number:04}",
                   "name": tool["name"], "arguments": written, "status": "completed"}]  # fmt: skip
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": {"input_tokens": 100, "output_tokens": 12, "total_tokens": 112,
                  "input_tokens_details": {"cached_tokens": 64},
                  "output_tokens_details": {"reasoning_tokens": 0}},
    }  # fmt: skip


ANSWERS = {"completions": chat_answer, "messages": message_answer, "responses": response_answer}


class Handler(BaseHTTPRequestHandler):
    lines: ClassVar[list] = []
    lock = threading.Lock()

    def do_GET(self):
        models = [{"id": "gpt-4o-mini", "object": "model", "created": 0, "owned_by": "loopback"}]
        self.send({"object": "list", "data": models})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        with self.lock:
            number = len(self.lines)
            answer = ANSWERS[path.rpartition("/")[2]](body, number)
            line = {"timestamp": round(time.time(), 3), "url": path, "body": body}
            self.lines.append({**line, "response": {"usage": answer["usage"]}})
        if body.get("stream") and path.endswith("/chat/completions"):
            events = [json.dumps(chunk) for chunk in chat_chunks(answer)]
            data = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()
            self.send_bytes(data, "text/event-stream")
        elif body.get("stream") and path.endswith("/messages"):
            data = "".join(
                f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                for event in message_events(answer)
            )
            self.send_bytes(data.encode(), "text/event-stream")
        else:
            self.send(answer)

    def send(self, answer):
        self.send_bytes(json.dumps(answer).encode(), "application/json")

    def send_bytes(self, data, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("out", type=Path)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    own = {
        "OPENAI_BASE_URL": f"{base}/v1",
        "OPENAI_API_BASE": f"{base}/v1",
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_BASE_URL": base,
        "ANTHROPIC_API_KEY": "none",
        "LOOPBACK": base,
    }
    try:
        subprocess.run([options.python, options.program], env=os.environ | own, check=True)
    finally:
        server.shutdown()
        with options.out.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in Handler.lines)
    print(f"{options.out}: {len(Handler.lines)} requests")


if __name__ == "__main__":
    main()
