"""The environment of the programs that a unit starts: without its keys, which are for the runtime alone."""

from __future__ import annotations

import os

KEY_VARIABLE = "DASHSCOPE_API_KEY"
"""The environment variable that may hold the key of the character service."""

NEIGHBOURS_VARIABLE = "COMPANION_NEIGHBOURS_KEY"
"""The one that may hold the secret that units in one room share."""

GUARD_VARIABLE = "COMPANION_GUARD_KEY"
"""The one that may hold the key of a second model that judges sentences."""

_SECRET = (KEY_VARIABLE, NEIGHBOURS_VARIABLE, GUARD_VARIABLE)


def child_environment() -> dict[str, str]:
    """This process's environment without the keys. Give it to every program that is started."""
    return {name: value for name, value in os.environ.items() if name not in _SECRET}
