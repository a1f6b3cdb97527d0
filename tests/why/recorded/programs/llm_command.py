"""A chat of four turns at the command line of `llm`, a chat front end, with a system prompt."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as home:
    environment = os.environ | {"LLM_USER_PATH": home}
    Path(home, "extra-openai-models.yaml").write_text(
        "- model_id: loopback\n  model_name: gpt-4o-mini\n"
        f"  api_base: {os.environ['OPENAI_BASE_URL']}\n"
    )
    command = [str(Path(sys.executable).with_name("llm")), "chat", "-m", "loopback"]
    talk = "How many pallets are left?\n!multi\nAnd on Monday?\nOr Tuesday?\n!end\nThanks.\nexit\n"
    subprocess.run(
        [*command, "-s", "You answer questions about a depot. " * 10],
        input=talk, text=True, env=environment, check=True,
    )  # fmt: skip
