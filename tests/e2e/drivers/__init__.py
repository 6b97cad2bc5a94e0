"""How each client is started headless, and how its answer is read. One module per client, one table of them."""

from .claude import run as run_claude
from .codex import run as run_codex
from .gemini import run as run_gemini
from .sdk import run as run_sdk

DRIVERS = {"codex": run_codex, "claude": run_claude, "gemini": run_gemini, "sdk": run_sdk}

__all__ = ["DRIVERS"]
