"""The device file: one TOML file that describes a unit.

It is read once at start and frozen. Unknown keys are refused, and all problems are reported at once as
`file: key: problem`. It never contains secrets: see `companion.mind.api.key`. Relative paths are relative to the file
that contains them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from companion.config.body import BodySettings
from companion.config.character import CharacterSettings, ContextSettings, MemorySettings, SpendingSettings, WebAddress
from companion.config.loading import Factory, FilePath, Seconds, Settings, TimeSpan, read_settings
from companion.config.policy import PolicyFile
from companion.config.wake import WakeSettings
from companion.config.wording import Form

Identity = Annotated[
    str, Form(r"^[\w.:-]{1,128}$", "has other signs than letters, digits and _ . : - (or more than 128); leave it out")
]


def _number_as_text(value: object) -> object:
    """`device = 1` means the same as `device = "1"`."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


SoundDevice = Annotated[
    str, BeforeValidator(_number_as_text), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
]


SoundChannel = Annotated[
    str,
    BeforeValidator(_number_as_text),
    Form(r"^(auto|mix|[1-9]\d?)$", 'is no channel; write its number (the first is 1), "mix" or "auto"'),
    WithJsonSchema({"anyOf": [{"enum": ["auto", "mix"]}, {"type": "integer", "minimum": 1, "maximum": 99}]}),
]


class MicrophoneSettings(Settings):
    device: SoundDevice = "default"
    """The microphone's name, a part of it that no other has, its number, or its ALSA name (`plughw:CARD=x,DEV=0`);
    `default` is the system's choice. The number may change when something is plugged in."""
    channel: SoundChannel = "auto"
    """Which channel is listened to: its number, the first being 1, or `mix`, the mean of all. `auto` is the mean of two
    and the first of more: the last ones of an array may carry what the loudspeaker plays. A number needs the card
    itself as `device`: a sound server mixes as it likes."""
    gain: float = Field(default=1.0, gt=0, le=32)
    """Factor for every sample. `companion doctor --calibrate` finds it for one unit."""


class EndpointSettings(Settings):
    engine: Factory = "silero"
    """The speech detector: `silero`, or that of another package."""
    turn_model: Factory | None = None
    """A model that judges by sound whether a person who pauses has finished: `smart-turn`, or that of another package.
    It halves or doubles the pause, within 0.35 and 1.5 s. None when absent."""
    turn_model_file: FilePath | None = None
    """Its file: for `smart-turn` the `smart-turn-v3.x-cpu.onnx` of pipecat-ai/smart-turn."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Speech probability above which a frame counts as voiced."""
    likely_s: Seconds = 0.15
    """Pause, in seconds, after which an utterance is likely over: its words are read and the answer is made ahead."""
    silence_s: Seconds = 0.7
    """Pause, in seconds, that ends an utterance whose words do not tell whether it is whole: those that do need half of
    it, or twice. Shorter is quicker, but cuts off people who pause."""
    longest_s: Seconds = 15.0
    """Longest utterance, in seconds; it is cut off here even when sound goes on (a television never stops)."""
    nobody_s: Seconds = 5.0
    """How long to wait for the first words after the wake word, in seconds."""
    preroll_s: float = Field(default=1.0, ge=0, le=5)
    """Pre-roll: seconds of sound before the first voiced frame that belong to the utterance."""


class TranscriberSettings(Settings):
    engine: Factory = "auto"
    """`vosk`, `pocketsphinx`, or `auto`: the best one that is installed and has its model."""
    model: FilePath | None = None
    """Folder of a Vosk model; the installed one for the persona's language when absent."""
    timeout_s: Seconds = 6.0
    """Longest time for a single call, in seconds; after that the turn is abandoned."""


_UNTIL = r"until ([0-9]{4}-[0-9]{2}-[0-9]{2})"


def _check_until(value: object) -> object:
    """Anything else than a text is told the same: a date alone is what people write first."""
    try:
        written = re.fullmatch(_UNTIL, value) if isinstance(value, str) else None
        date.fromisoformat(written[1] if written else "")
    except ValueError as error:
        raise ValueError('is no day until which sound may be kept; write it as "until 2026-12-31"') from error
    return value


RecordUntil = Annotated[
    str, BeforeValidator(_check_until), WithJsonSchema({"type": "string", "pattern": f"^{_UNTIL}$"})
]


class EarsSettings(Settings):
    microphone: MicrophoneSettings = MicrophoneSettings()
    """The microphone."""
    wake: WakeSettings = WakeSettings()
    """What makes the unit listen."""
    endpoint: EndpointSettings = EndpointSettings()
    """When an utterance begins and ends."""
    transcriber: TranscriberSettings = TranscriberSettings()
    """Speech recognition."""
    echo: Literal["guard", "apm", "cancelled"] = "guard"
    """How it tells its own voice from a person's: `guard` knows what is played and needs nothing else, `apm` takes the
    voice out of what is heard (WebRTC; needs the package livekit), and `cancelled` leaves that to the sound card or the
    sound server."""
    record: RecordUntil | None = None
    """For a diagnosis only: `until 2026-12-31` keeps the sound of utterances, and of the seconds before each wake, in
    `recordings/` of the state folder until that day is over, then deletes it. Without the key nothing is recorded, and
    what was is deleted at the start."""

    @property
    def recorded_until(self) -> date | None:
        """The last day on which sound is recorded."""
        return None if self.record is None else date.fromisoformat(self.record.removeprefix("until "))


class SpeakerSettings(Settings):
    device: SoundDevice = "default"
    """The loudspeaker's name, a part of it that no other has, its number, or its ALSA name; `default` is the system's
    choice."""
    latency_ms: int = Field(default=40, ge=5, le=500)
    """Sound that the card buffers, in milliseconds: this much is still heard after a stop."""
    volume: float = Field(default=1.0, ge=0, le=1)
    """Volume from 0 to 1."""
    loudness_db: float | None = Field(default=None, ge=40, le=150)
    """How loud a sine of 1 kHz at full scale and full volume is, in dB(A) at 0.5 m. `companion doctor --measured-db`
    finds it; without it a policy's loudest level cannot be held."""


class VoiceSettings(Settings):
    engine: Factory = "auto"
    """`piper`, `espeak`, or `auto`: the best one that is installed and has a voice."""
    model: FilePath | None = None
    """A Piper voice: the `.onnx` file, with its `.json` beside it; the installed one for the persona's language when
    absent."""
    timeout_s: Seconds = 8.0
    """Longest time for one sentence, in seconds; after that the turn is abandoned."""
    speaker: SpeakerSettings = SpeakerSettings()
    """The loudspeaker."""


class ConversationSettings(Settings):
    follow_up_s: float = Field(default=8.0, ge=0, le=120)
    """How long after an answer no wake word is needed, in seconds. 0 requires the wake word each time."""
    longest_talk_s: Seconds = 600.0
    """A talk that has lasted this long, in seconds, needs the wake word again: a television does not keep it listening.
    Within a talk, only speech about as loud as the last one that was answered needs none."""
    longest_silence_s: Seconds = 15.0
    """A turn is abandoned when nothing of its answer is heard within this time, in seconds."""
    longest_turn_s: Seconds = 90.0
    """Longest answer, in seconds; it is ended here."""
    barge_in: Literal["speech", "words", "wake", "off"] = "speech"
    """What stops an answer, beside the button and stop words: `speech` (silence at once, and it goes on where nothing
    was said), `words` (quieter at once, silence with the first words), `wake` (the wake word only) or `off`."""
    take_back_s: float = Field(default=1.0, ge=0, le=5)
    """Whoever goes on speaking within this time of an answer's first sound, in seconds, takes the answer back: what was
    said before and after it is answered as one."""
    filler_after_s: float = Field(default=1.6, ge=0, le=10)
    """An answer that is not there so many seconds after it is the character's turn gets one of the persona's fillers
    (`lines.filler`) before it. 0 for never."""
    opening_after_s: float = Field(default=2.0, ge=0, le=30)
    """First wake of a new session: seconds of silence before the opening line is said. Words spoken earlier come
    first."""
    continue_after_s: float = Field(default=0.0, ge=0, le=3600)
    """Seconds of silence after which the character goes on speaking by itself. 0 for never."""
    continue_most: int = Field(default=2, ge=1, le=10)
    """How often it does so before somebody speaks again."""
    quiet_hours: TimeSpan = "20:00-07:00"
    """Local time during which it never speaks by itself; empty for none."""


class GuardianSettings(Settings):
    keep_words: bool = False
    """Whether the words of what was blocked are kept for the guardian, beside category and time."""


class OwnerPageSettings(Settings):
    open: bool = False
    """Whether the owner's page opens at each start of the unit, and closes by itself as always. Otherwise it opens when
    the button is held for five seconds, or with `companion owner open`."""
    port: int = Field(default=8443, ge=1024, le=65_535)
    """Its port, on the addresses of private networks."""
    minutes: int = Field(default=15, ge=1, le=1440)
    """It closes by itself after so many minutes in which nobody was signed in."""


class GuardSettings(Settings):
    """A second model that judges sentences, beside the rules; off without an address."""

    base_url: WebAddress | None = None
    """Base URL of a server that speaks OpenAI's protocol, up to `/v1`; one on this unit or in the house, best."""
    model: str = Field(default="Qwen3Guard-Gen-0.6B", min_length=1)
    """Name of the model, as the server knows it: Qwen's guard models, or any other, which gets a short question."""
    key_file: FilePath | None = None
    """A file with mode 0600 that contains only the key, where the server wants one. Alternatives: the environment
    variable `COMPANION_GUARD_KEY` and a systemd credential."""
    within_s: float = Field(default=0.3, ge=0.0, le=5.0)
    """So long, in seconds, the sound of a sentence that is ready waits for the model's verdict; then the rules' alone
    counts."""


class HealthSettings(Settings):
    metrics_port: int | None = Field(default=None, ge=1024, le=65_535)
    """Port on loopback for Prometheus metrics (`/metrics`). Not served when absent."""


def _nearest_timezone(name: str) -> str:
    """The advice for an unknown time zone; people often write the city alone, or without capitals."""
    wanted = re.sub(r"[\s_]+", "_", name.strip()).casefold()
    known = {zone.casefold(): zone for zone in sorted(available_timezones()) if re.match("(?!Etc)[A-Z].*/", zone)}
    near = known.get(wanted) or next((zone for low, zone in known.items() if low.endswith(f"/{wanted}")), None)
    return f"did you mean {near}?" if near else "write it as Europe/Berlin or Asia/Shanghai: a continent and a city"


class Device(Settings):
    """One unit: what it hears, thinks, speaks and moves with."""

    persona: FilePath
    """The persona file: who the character is."""
    name: str = "companion"
    """The unit's name in logs and status."""
    identity: Identity | None = None
    """The unit's identity, from which its session id and number are derived; derived from the board's serial number
    when absent."""
    timezone: str | None = None
    """The unit's time zone, such as `Europe/Berlin`, for the clock that it tells, `quiet_hours` and `body.night`; the
    system's own when absent."""
    policy: PolicyFile | None = None
    """What may be said to whom, and for how long: `adult`, `teen`, `child`, `child-eu`, `child-cn`, `teen-us`, or a
    policy file of one's own; that of the persona's `audience` when absent."""
    log_transcripts: bool = False
    """Whether the log may contain what people say. Only turn it on if the owner agrees."""
    ears: EarsSettings = EarsSettings()
    """Listening: microphone, wake word, speech recognition."""
    character: CharacterSettings = CharacterSettings()
    """The character service."""
    memory: MemorySettings = MemorySettings()
    """What the character remembers."""
    spending: SpendingSettings = SpendingSettings()
    """Limits on the cost of the character service."""
    context: ContextSettings = ContextSettings()
    """What the model is told about the present moment."""
    voice: VoiceSettings = VoiceSettings()
    """Speaking: voice and loudspeaker."""
    conversation: ConversationSettings = ConversationSettings()
    """Timing of the conversation."""
    body: BodySettings = BodySettings()
    """Lights, servos and motors."""
    guardian: GuardianSettings = GuardianSettings()
    """What is kept for whoever looks after the persons."""
    owner: OwnerPageSettings = OwnerPageSettings()
    """The owner's page, for a telephone in the same network."""

    guard: GuardSettings = GuardSettings()
    """A second model that judges sentences."""
    health: HealthSettings = HealthSettings()
    """Monitoring."""

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(f"is no time zone here; {_nearest_timezone(name)}") from error
        return name

    @model_validator(mode="after")
    def _check_button_pin(self) -> Self:
        taken = {pin: key for key, pin in self.body.gpio.pins()} if self.body.gpio else {}
        pin = self.ears.wake.button_pin
        if pin is not None and pin in taken:
            raise ValueError(f"ears.wake.button_pin: GPIO{pin} is given to {taken[pin]} already")
        return self


def load_device(path: Path, overrides: Mapping[str, Any] | None = None) -> Device:
    """Read a device file. `overrides` maps dotted keys to values. Raises `ConfigError` with all problems."""
    return read_settings(path, Device, overrides)
