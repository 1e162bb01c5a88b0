"""Device settings: one TOML file says what a unit is made of.

Read once at start and frozen. Unknown keys are refused, and every problem is reported at once as `file: key: problem`.
Secrets never stand here: see `companion.mind.api.key`. Relative paths count from the file that names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from companion.config.body import BodySettings
from companion.config.character import CharacterSettings, ContextSettings, MemorySettings, SpendingSettings
from companion.config.loading import Factory, FilePath, Seconds, Settings, read_settings


class MicrophoneSettings(Settings):
    device: str = "default"
    """The sound card's name or a part of it; `default` takes the system's choice."""
    gain: float = Field(default=1.0, gt=0, le=32)
    """What every sample is multiplied by."""


class WakeSettings(Settings):
    mode: Literal["word", "open", "button"] = "word"
    """`word` waits for the wake word, `open` always listens, `button` listens while or after the button is pressed."""
    word: str = "okay_nabu"
    """`okay_nabu`, `hey_jarvis`, `alexa` or `hey_mycroft`."""
    engine: Factory = "micro"
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Probability above which the word counts as heard; the model's own value when absent."""
    button_pin: int | None = Field(default=None, ge=0, le=27)
    """GPIO number (BCM) of the push-to-talk button."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """`wake = "open"` and `wake = "alexa"` are short for the table."""
        if isinstance(value, str):
            return {"mode": value} if value in ("open", "button") else {"word": value}
        return value


class EndpointSettings(Settings):
    engine: Factory = "silero"
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Speech probability above which a frame counts as voiced."""
    silence_s: Seconds = 0.7
    """This much silence ends an utterance."""
    longest_s: Seconds = 15.0
    """An utterance is cut here, whatever is still heard (a television never stops)."""
    nobody_s: Seconds = 5.0
    """After the wake word: how long to wait for the first words."""
    preroll_s: float = Field(default=1.0, ge=0, le=5)
    """How much sound from before the first voiced frame belongs to the utterance."""


class TranscriberSettings(Settings):
    engine: Factory = "auto"
    """`vosk`, `pocketsphinx`, or `auto`: the best that is installed and has its model."""
    model: FilePath | None = None
    """Folder of a Vosk model."""
    timeout_s: Seconds = 6.0
    """How long a single call may take before the turn is given up."""


class EarsSettings(Settings):
    microphone: MicrophoneSettings = MicrophoneSettings()
    wake: WakeSettings = WakeSettings()
    endpoint: EndpointSettings = EndpointSettings()
    transcriber: TranscriberSettings = TranscriberSettings()


class SpeakerSettings(Settings):
    device: str = "default"
    latency_ms: int = Field(default=40, ge=5, le=500)
    """Sound that the card may hold: what is still heard after a stop."""
    volume: float = Field(default=1.0, ge=0, le=1)


class VoiceSettings(Settings):
    engine: Factory = "auto"
    """`piper`, `espeak`, or `auto`: the best that is installed and has its voice."""
    model: FilePath | None = None
    """A Piper voice, the `.onnx` file; its `.json` stands beside it."""
    timeout_s: Seconds = 8.0
    """How long one sentence may take before the turn is given up."""
    speaker: SpeakerSettings = SpeakerSettings()


class ConversationSettings(Settings):
    follow_up_s: float = Field(default=8.0, ge=0, le=120)
    """After an answer: how long no wake word is needed. 0 asks for the wake word each time."""
    longest_silence_s: Seconds = 15.0
    """An answer of which nothing is heard by then is given up, whatever hangs."""
    longest_turn_s: Seconds = 90.0
    """One that is heard is ended here."""
    opening_after_s: float = Field(default=2.0, ge=0, le=30)
    """First wake of a new session: silence before the opening line is said. Words spoken sooner come first."""
    continue_after_s: float = Field(default=0.0, ge=0, le=3600)
    """After this much silence the character speaks on by itself. 0: it never does."""
    continue_most: int = Field(default=2, ge=1, le=10)
    """How often it does so before somebody says something again."""
    quiet_hours: str = Field(default="20:00-07:00", pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    """Local time in which it never speaks by itself; empty: there is none."""


class HealthSettings(Settings):
    metrics_port: int | None = Field(default=None, ge=1024, le=65_535)
    """Port on loopback where Prometheus can ask. None: nothing listens."""


class Device(Settings):
    """One unit: what it hears, thinks, speaks and moves with."""

    persona: FilePath
    """The character's file."""
    name: str = "companion"
    """What this unit is called in logs."""
    identity: str | None = Field(default=None, pattern=r"^[\w.:-]{1,128}$")
    """The unit's own number, from which the session id is made; derived from the machine's id when absent."""
    log_transcripts: bool = False
    """Whether what people say may stand in the log. Off unless the owner wants it."""
    ears: EarsSettings = EarsSettings()
    character: CharacterSettings = CharacterSettings()
    memory: MemorySettings = MemorySettings()
    spending: SpendingSettings = SpendingSettings()
    context: ContextSettings = ContextSettings()
    voice: VoiceSettings = VoiceSettings()
    conversation: ConversationSettings = ConversationSettings()
    body: BodySettings = BodySettings()
    health: HealthSettings = HealthSettings()

    @model_validator(mode="after")
    def _button_has_a_pin_of_its_own(self) -> Self:
        taken = {pin: key for key, pin in self.body.gpio.pins()} if self.body.gpio else {}
        pin = self.ears.wake.button_pin
        if pin is not None and pin in taken:
            raise ValueError(f"ears.wake.button_pin: GPIO{pin} is given to {taken[pin]} already")
        return self


def load_device(path: Path, overrides: Mapping[str, Any] | None = None) -> Device:
    """Read a device file. `overrides` maps dotted keys to values. Raises `ConfigError` with every problem."""
    return read_settings(path, Device, overrides)
