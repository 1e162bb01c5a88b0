"""Every error that the product raises on purpose.

    CompanionError            code, one plain sentence for the person, an exit status
    ├── ConfigError           exit 78 (EX_CONFIG): systemd does not restart; `problems` lists all of them
    ├── DeviceError           a microphone, loudspeaker or body is missing or was unplugged (exit 69)
    ├── EngineUnavailable     an engine is not installed or its model is missing (exit 69)
    ├── CharacterError        the character service did not answer; one of the persona's own lines is said instead
    │   ├── NothingToSay      it answered with actions and signs only
    │   └── CharacterRefused  it refused (wrong key, bad request, moderation); trying again would not help
    └── SpeechError           a transcriber or a voice failed; the turn ends, listening goes on

Adapters translate the errors of libraries into these with `raise ... from`. `str(error)` is the sentence that a person
reads: it names the cause and says what to do. It never contains a secret or anything that was said.
"""

from __future__ import annotations

from collections.abc import Sequence


class CompanionError(Exception):
    """The base class of all errors."""

    code = "companion"
    exit_status = 1


class ConfigError(CompanionError):
    """A settings file is wrong: device, persona, choreography or the installer's.

    `problems` contains every problem found, each as `file: key: problem`.
    """

    code = "config"
    exit_status = 78

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class DeviceError(CompanionError):
    """A sound device or a body is missing, busy or was unplugged."""

    code = "device"
    exit_status = 69


class EngineUnavailable(CompanionError):
    """An engine cannot be used: it or its model is not installed. `engine = "auto"` then tries the next one."""

    code = "engine"
    exit_status = 69


class CharacterError(CompanionError):
    """The character service could not be reached, or stopped answering.

    `line` names which of the persona's own lines is said instead (`offline`, `busy`, `denied`, `unpaid`,
    `change_subject`, `spent` or `failed`).
    """

    code = "character"

    def __init__(self, message: str, line: str = "offline") -> None:
        self.line = line
        super().__init__(message)


class NothingToSay(CharacterError):
    """An answer came, but all of it was actions and signs."""

    def __init__(self) -> None:
        super().__init__("There was nothing to say in the character's answer.", "failed")


class CharacterRefused(CharacterError):
    """The character service refused in a way that trying again would not change.

    `reason` is the service's own error code (section 9 of its error catalogue), for example `invalid_api_key`.
    """

    code = "character_refused"

    def __init__(self, message: str, reason: str, line: str = "failed") -> None:
        self.reason = reason
        super().__init__(message, line)


class SpeechError(CompanionError):
    """A transcriber or a synthesizer failed or took too long."""

    code = "speech"
