"""An agent with two tools over three turns by `pydantic-ai`, with both providers."""

from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel

for model in (OpenAIChatModel("gpt-4o-mini"), AnthropicModel("claude-sonnet-4-5")):
    agent = Agent(model, system_prompt="You plan trucks for a depot. " * 10)

    @agent.tool_plain
    def count_pallets(depot: str) -> int:
        """Count the pallets in a depot."""
        return 41

    @agent.tool_plain
    def plan_truck(pallets: int, evening: bool = False) -> dict:
        """Plan a truck."""
        return {"pallets": pallets, "evening": evening}

    history = None
    for question in ("How many pallets are left?", "Plan a truck.", "Thanks."):
        history = agent.run_sync(question, message_history=history).all_messages()
