"""The tables `[character]`, `[memory]`, `[spending]` and `[context]` of the device file.

How the unit reaches the character service, what it remembers, what it may spend, and what it tells the model about the
present moment. `companion.config.device` puts the tables together.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from companion.config.loading import Factory, FilePath, Seconds, Settings
from companion.config.wording import KEY_HERE, Form, is_key, is_secret

WebAddress = Annotated[
    str, Form(r"^[hH][tT][tT][pP][sS]?://", "is no web address; write it with http:// or https:// in front")
]

_OWN_FIELDS = frozenset(
    {
        *("messages", "stream", "stream_options", "n", "max_completion_tokens", "logit_bias", "character_options"),
        *("input", "parameters", "result_format", "incremental_output"),
    }
)
"""Fields of a request that follow from what the product does."""

_NOT_IN_REQUESTS = frozenset({"protocol", "region", "emulator", "history", "candidates", "extra"})
"""Settings that are no fields of a request; a server may have one of that name."""


_CHAT = re.compile(r"/(?:chat/completions|services/aigc/text-generation/generation)/*(\?.*)?$")


class CharacterSettings(Settings):
    protocol: Literal["openai", "dashscope"] = "openai"
    """Which of the service's two routes is used: the OpenAI-compatible one or its own, DashScope."""
    region: Literal["international", "china"] = "international"
    """Where the key was issued: `international` (Singapore) or `china` (Beijing). It decides the address, the limits
    and the prices."""
    base_url: WebAddress | None = None
    """Base URL of the route, up to `/v1`; the region's own when absent. Any OpenAI-compatible server works (llama.cpp,
    Ollama, vLLM)."""
    ca_file: FilePath | None = None
    """A file (PEM) with the certificate authorities of a server of one's own, trusted beside the public ones."""
    model: str = "qwen-plus-character"
    """Name of the model, as the service knows it."""
    emulator: Literal["auto", "always", "never"] = "auto"
    """The emulator of the service on this unit, with scripted answers: `auto` uses it only where no key is found."""
    key_file: FilePath | None = None
    """A file with mode 0600 that contains only the API key. Alternatives: the environment variable `DASHSCOPE_API_KEY`
    and a systemd credential."""
    answer_within_s: Seconds = 2.4
    """Longest time from the request to the first words of the answer, including a retry. After that the offline line is
    said."""
    thinking_s: Seconds = 12.0
    """The same for a model that is seen to think before it answers. `conversation.longest_silence_s` must be longer."""
    think_ahead: Literal["always", "cheap", "never"] = "always"
    """Whether an answer is asked for at the first short pause, before it is sure that the person has finished. Where
    they had not, the request is dropped, which costs money (`companion usage` shows it); `cheap` only does it while
    most of the request comes from the service's cache and no limit of spending is near."""
    stall_s: Seconds = 4.0
    """Longest pause within an answer, in seconds."""
    max_tokens: int = Field(default=300, ge=1, le=4000)
    """Longest answer, in tokens."""
    temperature: float | None = Field(default=None, ge=0, lt=2)
    """Higher values make answers more varied, lower ones more predictable; the service's own value when absent."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Only the likeliest words, up to this share of probability, are chosen from. Change this or `temperature`, not
    both; the service's own value when absent, as for the next four."""
    top_k: int | None = Field(default=None, ge=0, le=1000)
    """Only this many of the likeliest words are chosen from; 0 for no limit."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Higher values make the model speak of new things."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Higher values make the model repeat the same words less. The service itself does not have it."""
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    """Above 1 the model repeats itself less."""
    stop: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(default=(), max_length=4)
    """The answer ends before any of these texts."""
    extra: dict[str, Any] = Field(default={})
    """Further fields of every request, for what only your server knows: `enable_thinking = false`, `think = false`. A
    field that the server refuses is left out."""
    history: int = Field(default=100, ge=2, le=400)
    """How many past messages are sent with a request; older ones are dropped in blocks of half as many."""
    candidates: int = Field(default=1, ge=1, le=4)
    """How many answers are requested, of which the best is said. More than one is slower: nothing is said before all
    have arrived."""
    reply_characters: int = Field(default=280, ge=20, le=4000)
    """With several candidates: the length, in characters, that an answer should not exceed."""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    """For tests: the same seed and the same conversation give the same answer, as far as the service supports it."""
    requests_per_second: float = Field(default=2.0, gt=0, le=1000)
    """The account's rate limit; requests wait so as not to exceed it."""
    ban_brackets: Literal["documented", "prose", "complete", "off"] = "prose"
    """Which tokens `logit_bias` bans, so that the model writes no actions in brackets: the few openings that
    the service documents, those that open a round bracket in prose, all, or none. Always off where the persona's cues
    are stage directions."""

    @field_validator("key_file", mode="before")
    @classmethod
    def _check_key_file(cls, path: object) -> object:
        if is_key(path):
            # Later it would be the name of a missing file, and shown.
            raise ValueError(f"names a file: {KEY_HERE}")
        return path

    @field_validator("base_url")
    @classmethod
    def _shorten_base_url(cls, base_url: str | None) -> str | None:
        """What a server's page gives is often the address of the chat itself. Raises `ValueError` for no address."""
        if base_url is None:
            return None
        try:
            parts = urlsplit(base_url)
            labels, port = (parts.hostname or "").rstrip(".").split("."), parts.port or 0
        except ValueError:
            labels, port = [""], 0
        if re.search(r"[\s\x00-\x1f\x7f]", base_url):
            raise ValueError("has a blank in it; write it without")
        if port > 65_535 or any(not 0 < len(label) < 64 for label in labels):
            raise ValueError("names no host that can be found; write it as https://host/v1 or http://host:port/v1")
        return _CHAT.sub(r"\1", base_url)

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, Any]) -> dict[str, Any]:
        for name, value in extra.items():
            if is_secret(name, value):
                # It would stand in the body of every request.
                raise ValueError(f"{name}: {KEY_HERE}")
            if name in cls.model_fields and name not in _NOT_IN_REQUESTS:
                raise ValueError(f"{name} has a key of its own: write it as character.{name}")
            if name in _OWN_FIELDS:
                raise ValueError(f"{name} is set by the product itself and cannot be changed here")
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{name} must be text, a number, true, false, or a list or table of these") from error
        return extra


def exposes_key(base_url: str) -> bool:
    """Whether a key sent to this address could be read on the way: plain HTTP to anything but this machine."""
    try:
        parts = urlsplit(base_url)
        return parts.scheme.lower() != "https" and not is_loopback(parts.hostname or "")
    except ValueError:
        return True


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


KEY_EXPOSED = (
    "sends the key unencrypted, so anybody on the way could read it: write https:// in place of http://, "
    "or take the key away if this server needs none"
)
"""How the sentence about such an address goes on."""


class MemorySettings(Settings):
    mode: Literal["auto", "local", "service", "off"] = "auto"
    """`local` remembers on the device, in every language. `service` uses the service's own memory (Chinese only).
    `off` forgets everything when the program ends. `auto` means `local`."""
    folder: FilePath | None = None
    """Folder of the memory's database; the state folder (`STATE_DIRECTORY`, else `~/.local/state/companion`) when
    absent."""
    entries: int = Field(default=100, ge=20, le=400)
    """After this many messages the older ones are summarised."""
    person: str = Field(default="", max_length=60)
    """The assumed speaker until somebody says who they are. With `guest` nothing is remembered."""
    persons: tuple[str, ...] = ()
    """Names that are known from the start, so that "I'm Ana" is understood the first time."""


class SpendingSettings(Settings):
    daily: float | None = Field(default=None, gt=0)
    """Largest cost per day, in the currency of the region's prices (US dollars; yuan in China). No limit when
    absent."""
    monthly: float | None = Field(default=None, gt=0)
    """Largest cost per calendar month. No limit when absent."""


class ContextSettings(Settings):
    providers: tuple[Factory, ...] = ("clock",)
    """What the model is told with every request: `clock`, `device`, `battery`, `location`, `speed`, `file`,
    `command`."""
    location: str = ""
    """For `location`: where the unit is, in words, such as `the nursery`."""
    file: FilePath | None = None
    """For `file`: a text file that another program keeps up to date."""
    command: tuple[str, ...] = ()
    """For `command`: a program and its arguments, without a shell. Its output is told."""
    speed_file: FilePath | None = None
    """For `speed`: a file with the speed of the car in km/h."""
    longest: int = Field(default=600, ge=50, le=4000)
    """Longest text of one provider, in characters."""

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        for name, value in (
            ("location", self.location),
            ("file", self.file),
            ("command", self.command),
            ("speed", self.speed_file),
        ):
            if name in self.providers and not value:
                key = "speed_file" if name == "speed" else name
                raise ValueError(f"providers: names {name}; say which with context.{key}")
        return self
