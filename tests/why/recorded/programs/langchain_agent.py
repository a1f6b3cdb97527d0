"""Agents of LangChain with two tools over three turns: chats, responses, and Anthropic."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI


def count_pallets(depot: str) -> int:
    """Count the pallets in a depot."""
    return 41


def plan_truck(pallets: int, evening: bool = False) -> dict:
    """Plan a truck."""
    return {"pallets": pallets, "evening": evening}


PROMPT = "You plan trucks. " * 10
MODELS = (
    ChatOpenAI(model="gpt-4o-mini"),
    ChatOpenAI(model="gpt-4o-mini", use_responses_api=True),
    ChatAnthropic(model="claude-sonnet-4-5"),
)
for model in MODELS:
    agent = create_agent(model, [count_pallets, plan_truck], system_prompt=PROMPT)
    messages = []
    for question in ("How many pallets are left?", "Plan a truck.", "Thanks."):
        messages.append({"role": "user", "content": question})
        messages = agent.invoke({"messages": messages})["messages"]
