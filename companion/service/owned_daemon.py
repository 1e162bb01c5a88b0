"""What the owner's page needs of the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from companion.body.inputs import BodySwitches
from companion.service.control_protocol import Button


class Loudspeaker(Protocol):
    """Where the volume is set."""

    volume: float
    """0 to 1."""


class OwnedDaemon(Protocol):
    """What the owner's page needs of the daemon."""

    switches: BodySwitches
    persona_file: Path

    @property
    def loudspeaker(self) -> Loudspeaker:
        """It speaks through this."""

    async def press(self, button: Button) -> None:
        """See `control.DaemonControls`."""

    def reload(self, persona: str | None) -> str:
        """See `control.DaemonControls`."""

    def say_reset(self) -> None:
        """Say that the unit begins anew. Raises `CompanionError`."""

    def status(self) -> dict[str, Any]:
        """See `control.DaemonControls`."""
