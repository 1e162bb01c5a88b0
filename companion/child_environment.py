"""The environment of the programs that a unit starts: without its key, which is for the runtime alone."""

from __future__ import annotations

import os

KEY_VARIABLE = "DASHSCOPE_API_KEY"
"""The environment variable that may hold the key of the character service."""


def child_environment() -> dict[str, str]:
    """This process's environment without the key. Give it to every program that is started."""
    return {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
