"""What every check is given: the unit as its files describe it, where it keeps things, and who stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from companion.config import Device
from companion.doctor.person import Person
from companion.errors import DeviceError
from companion.persona import Persona

STOP_IT = "Stop the companion for the test (sudo systemctl stop companion) and start it again behind it."


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What stands around a unit, whatever its files say."""

    state: Path
    """The unit's state folder."""
    person: Person | None = None
    """Who is asked; None where nobody is."""
    daemon: Mapping[str, Any] | None = None
    """How the running companion says it is (`companion.service.status`); None while none runs."""
    daemon_trouble: str = ""
    """Why one that seems to run did not answer."""
    socket: Path | None = None
    """Where it listens, if not at the usual place."""
    pace: float = 1.0
    """How long the body's motions take, compared with what a person can follow. Tests hurry."""

    @property
    def daemon_runs(self) -> bool:
        """Whether a companion holds this unit's devices, as far as is known."""
        return self.daemon is not None or bool(self.daemon_trouble)

    def blamed(self, error: DeviceError) -> DeviceError:
        """An error of a device, with what to do where the running companion may be its cause."""
        return DeviceError(f"{error} {STOP_IT}") if self.daemon_runs else error


@dataclass(frozen=True, kw_only=True)
class Station(Surroundings):
    """One unit under test, as its files describe it."""

    device: Device
    persona: Persona

    def with_gain(self, gain: float) -> Station:
        """The same unit with another microphone gain."""
        microphone = self.device.ears.microphone.model_copy(update={"gain": gain})
        ears = self.device.ears.model_copy(update={"microphone": microphone})
        return replace(self, device=self.device.model_copy(update={"ears": ears}))
