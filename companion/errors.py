"""Every error that the product raises on purpose.

    CompanionError            code, one plain sentence for the person, an exit status
    ├── ConfigError           exit 78 (EX_CONFIG): systemd does not restart; `problems` lists them all
    ├── DeviceError           a microphone, loudspeaker or body is missing or went away (exit 69)
    ├── EngineUnavailable     an engine is not installed or its model is missing (exit 69)
    ├── CharacterError        the character service did not answer; the persona's own line is said instead
    │   └── CharacterRefused  it answered, and said no (wrong key, bad request, moderation): no use trying again
    └── SpeechError           a transcriber or a voice failed; the turn ends, listening goes on

Adapters translate foreign errors into these at their border with `raise ... from`. `str(error)` is the sentence that a
person reads: it names the thing and says what to do. It never holds a secret, nor anything that was said.
"""

from __future__ import annotations

from collections.abc import Sequence


class CompanionError(Exception):
    """The root of the tree."""

    code = "companion"
    exit_status = 1


class ConfigError(CompanionError):
    """A device, persona or choreography file is wrong.

    `problems` holds every problem found, each as `file: key: problem`.
    """

    code = "config"
    exit_status = 78

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class DeviceError(CompanionError):
    """A sound device or a body is missing, busy or went away."""

    code = "device"
    exit_status = 69


class EngineUnavailable(CompanionError):
    """An engine cannot be used here: not installed, or its model is not there. `engine = "auto"` tries the next."""

    code = "engine"
    exit_status = 69


class CharacterError(CompanionError):
    """The character service could not be reached, or stopped answering.

    `line` names the persona's own line that is said instead (`offline`, `busy`, `denied`, `unpaid`, `change_subject`,
    `spent` or `failed`).
    """

    code = "character"

    def __init__(self, message: str, line: str = "offline") -> None:
        self.line = line
        super().__init__(message)


class CharacterRefused(CharacterError):
    """The character service answered with a refusal that trying again would not change.

    `reason` is the service's own error code (section 9 of its error catalogue), for example `invalid_api_key`.
    """

    code = "character_refused"

    def __init__(self, message: str, reason: str, line: str = "failed") -> None:
        self.reason = reason
        super().__init__(message, line)


class SpeechError(CompanionError):
    """A transcriber or a synthesizer failed or took too long."""

    code = "speech"
