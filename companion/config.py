"""Device settings: one TOML file says what a unit is made of.

Read once at start and frozen. Unknown keys are refused, and every problem is reported at once as `file: key: problem`.
Secrets never stand here: see `companion.mind.key`. Relative paths count from the file that names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from companion.errors import ConfigError
from companion.settings_file import FilePath, Settings, read_settings

Factory = Annotated[str, Field(pattern=r"^[\w-]+$|^[\w.]+:[\w.]+$")]
"""The name of a built-in or installed engine, or `package.module:factory`."""

Seconds = Annotated[float, Field(gt=0, le=600)]


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


class CharacterSettings(Settings):
    protocol: Literal["openai"] = "openai"
    base_url: str = Field(default="https://dashscope-intl.aliyuncs.com/compatible-mode/v1", pattern=r"^https?://")
    """Where the OpenAI-compatible route begins, without `/chat/completions`."""
    model: str = "qwen-plus-character"
    emulator: Literal["auto", "always", "never"] = "auto"
    """The local stand-in for the service: `auto` uses it only where no key is found."""
    key_file: FilePath | None = None
    """A file of mode 0600 that holds the key and nothing else. See also `DASHSCOPE_API_KEY` and systemd credentials."""
    answer_within_s: Seconds = 2.4
    """Time from the request to the first words of the answer, a retry included; then the offline line is said."""
    stall_s: Seconds = 4.0
    """Longest pause inside an answer."""
    max_tokens: int = Field(default=300, ge=1, le=4000)
    temperature: float | None = Field(default=None, ge=0, lt=2)
    history: int = Field(default=40, ge=2, le=400)
    """How many past messages go with a request; older ones are dropped in blocks of half of that."""
    ban_brackets: Literal["documented", "prose", "complete", "off"] = "prose"
    """Which set of tokens `logit_bias` bans. Off by itself where the persona's cues come as stage directions."""


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


class ChannelSettings(Settings):
    kind: Literal["light", "servo", "motor", "mouth"]
    low: float = -90.0
    """Servo: degrees from the middle. Motor: -1 to 1. Mouth: 0 to 1. Not used by lights."""
    high: float = 90.0
    neutral: float = 0.0
    fastest: float = Field(default=360.0, gt=0)
    """Largest change in a second, in the channel's own unit: the slew rate."""

    @model_validator(mode="before")
    @classmethod
    def _unit_of_kind(cls, value: object) -> object:
        """Motors and mouths have other natural ranges than servos."""
        if isinstance(value, Mapping):
            low = {"motor": -1.0, "mouth": 0.0}.get(str(value.get("kind")))
            if low is not None:
                return {"low": low, "high": 1.0, "fastest": 4.0 if low else 20.0, **value}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.neutral <= self.high:
            raise ValueError("low, neutral and high must be in this order")
        return self


class SerialSettings(Settings):
    port: str = Field(min_length=1)
    """`/dev/ttyACM0`, `usb:2341:0043` (vendor and product, perhaps `:` and a serial number) or `socket://host:port`."""
    baud: int = Field(default=115_200, ge=1_200, le=4_000_000)
    channels: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    """Number of the microcontroller's channel for each of ours. Without it they are matched by kind, in order."""


class BodySettings(Settings):
    outputs: tuple[Factory, ...] = ("simulated",)
    serial: SerialSettings | None = None
    """The microcontroller that the output `serial` talks to."""
    choreography: FilePath | None = None
    """The built-in choreography when absent."""
    channels: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ChannelSettings] = Field(
        default={
            "glow": ChannelSettings(kind="light"),
            "head": ChannelSettings(kind="servo", low=-45, high=45),
            "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
        }
    )

    @model_validator(mode="after")
    def _serial_is_whole(self) -> Self:
        if "serial" in self.outputs and self.serial is None:
            raise ValueError('outputs names serial: add a table [body.serial] with port = "..."')
        unknown = sorted(set(self.serial.channels) - set(self.channels)) if self.serial else []
        if unknown:
            raise ValueError(f"serial.channels: there is no channel called {', '.join(unknown)}")
        return self


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
    voice: VoiceSettings = VoiceSettings()
    conversation: ConversationSettings = ConversationSettings()
    body: BodySettings = BodySettings()


def load_device(path: Path, overrides: Mapping[str, Any] | None = None) -> Device:
    """Read a device file. `overrides` maps dotted keys to values. Raises `ConfigError` with every problem."""
    return read_settings(path, Device, overrides)


def split_overrides(overrides: Mapping[str, Any], persona: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part overrides into those of the device file and those of the persona file.

    `persona.KEY` is always the persona's. A bare key belongs to the device where its first part is a device key, else
    to the persona. Raises `ConfigError` for a key that neither file has.
    """
    of_device: dict[str, Any] = {}
    of_persona: dict[str, Any] = {}
    unknown = []
    for key, value in overrides.items():
        first, _, rest = key.partition(".")
        if first == "persona" and rest:
            of_persona[rest] = value
        elif first in Device.model_fields:
            of_device[key] = value
        elif first in persona.model_fields:
            of_persona[key] = value
        else:
            unknown.append(f"--set: {key}: there is no such key in the device or the persona file")
    if unknown:
        raise ConfigError(unknown)
    # A path given on the command line counts from where the person stands, as every other path there.
    if "persona" in of_device:
        of_device["persona"] = str(Path(str(of_device["persona"])).absolute())
    return of_device, of_persona
