"""An agent with two tools over three turns by `openai-agents`, by responses and by chats."""

import asyncio
import os

from agents import Agent, ModelSettings, Runner, function_tool, set_tracing_disabled
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from openai import AsyncOpenAI

set_tracing_disabled(True)


@function_tool
def count_pallets(depot: str) -> str:
    """Count the pallets in a depot.

    Args:
        depot: Name of the depot.
    """
    return f"{depot}: 41"


@function_tool
def plan_truck(pallets: int, evening: bool = False) -> str:
    """Plan a truck."""
    return f"planned {pallets} {evening}"


async def talk(model):
    agent = Agent(
        name="Depot",
        instructions="You plan trucks for a depot. " * 10,
        tools=[count_pallets, plan_truck],
        model=model,
        model_settings=ModelSettings(temperature=0),
    )
    items = []
    for question in ("How many pallets are left?", "Plan a truck.", "Thanks."):
        items.append({"role": "user", "content": question})
        items = (await Runner.run(agent, items)).to_input_list()


client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"])
asyncio.run(talk("gpt-4o-mini"))
asyncio.run(talk(OpenAIChatCompletionsModel("gpt-4o-mini", client)))
