"""How a unit reaches its character, what it remembers, what it may spend, and what it knows of the moment.

A part of the device file: `companion.config.device` puts the parts together.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from companion.config.loading import Factory, FilePath, Seconds, Settings


class CharacterSettings(Settings):
    protocol: Literal["openai", "dashscope"] = "openai"
    """Which of the service's two routes is spoken."""
    region: Literal["international", "china"] = "international"
    """Where the key belongs: Singapore or Beijing. It decides the address, the limits and the prices."""
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    """Where the route begins, without `/chat/completions`; the region's own when absent. Any OpenAI-compatible server
    (llama.cpp, Ollama, vLLM) can stand here."""
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
    history: int = Field(default=100, ge=2, le=400)
    """How many past messages go with a request; older ones are dropped in blocks of half of that."""
    candidates: int = Field(default=1, ge=1, le=4)
    """How many answers are asked for; the best is said. Several are slower: nothing is said before all are there."""
    reply_characters: int = Field(default=280, ge=20, le=4000)
    """With several candidates: the length that an answer should not exceed."""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    """For tests: the same seed and the same conversation give the same answer, as far as the service can."""
    requests_per_second: float = Field(default=2.0, gt=0, le=1000)
    """The account's limit; requests wait for their place."""
    ban_brackets: Literal["documented", "prose", "complete", "off"] = "prose"
    """Which set of tokens `logit_bias` bans. Off by itself where the persona's cues come as stage directions."""


class MemorySettings(Settings):
    mode: Literal["auto", "local", "service", "off"] = "auto"
    """`local` remembers on the device, in every language. `service` leaves it to the service (Chinese only).
    `off` forgets with the process. `auto` is `local`."""
    folder: FilePath | None = None
    """Where the memory is kept; the state folder (`STATE_DIRECTORY`, else `~/.local/state/companion`) when absent."""
    entries: int = Field(default=100, ge=20, le=400)
    """After this many messages the older ones are put into a summary."""
    person: str = Field(default="", max_length=60)
    """Who speaks as long as nobody has said so. `guest` keeps nothing."""
    persons: tuple[str, ...] = ()
    """Names that are known from the start, so that "I'm Ana" is understood the first time."""


class SpendingSettings(Settings):
    daily: float | None = Field(default=None, gt=0)
    """Most money a day, in the currency of the region's prices (US dollars, in China yuan). None: no limit."""
    monthly: float | None = Field(default=None, gt=0)
    """Most money a calendar month."""


class ContextSettings(Settings):
    providers: tuple[Factory, ...] = ("clock",)
    """What is told with every request: `clock`, `device`, `battery`, `location`, `speed`, `file`, `command`."""
    location: str = ""
    """Where the unit stands, in words: `the nursery`."""
    file: FilePath | None = None
    """A text file that another program keeps up to date."""
    command: tuple[str, ...] = ()
    """A program and its arguments; what it prints is told. No shell."""
    speed_file: FilePath | None = None
    """A file with the speed of the car in km/h."""
    longest: int = Field(default=600, ge=50, le=4000)
    """Characters that one provider may take."""

    @model_validator(mode="after")
    def _has_its_source(self) -> Self:
        for name, value in (
            ("location", self.location),
            ("file", self.file),
            ("command", self.command),
            ("speed", self.speed_file),
        ):
            if name in self.providers and not value:
                key = "speed_file" if name == "speed" else name
                raise ValueError(f"providers names {name}: say which with context.{key}")
        return self
