"""Two small logs of requests to try `radixlab why` on; `make.py` made them.

`support_desk.jsonl`: OpenAI chats of two teams. The billing team's system prompt begins with a
clock; the travel team's does not, and nothing is wrong with its requests.

`coding_agent.jsonl.gz`: Anthropic messages of three agents. The first lists its tools in another
order each time, the second cuts old turns out of its history, the third does neither.
"""

from pathlib import Path

SUPPORT_DESK = Path(__file__).with_name("support_desk.jsonl")
CODING_AGENT = Path(__file__).with_name("coding_agent.jsonl.gz")
