"""The protocol of the control socket: one line of request, one line of answer. Pure: bytes in, values out.

A request is plain words, so that it can be typed: `wake`, `mute`, `unmute`, `stop`, `volume 40`, `say Good morning`,
`persona robin`, `reload`, `status`, `owner open`. An answer is one JSON object:

    {"ok": true, "sentence": "...", "status": {...}}          `status` only in the answer to `status` and `owner`
    {"ok": false, "code": "...", "sentence": "...", "problems": ["..."]}

`code` is an error code of `companion.errors`, or `request` for a request that cannot be parsed. A request is at most
`LONGEST_REQUEST` bytes long, an answer `LONGEST_ANSWER`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from companion.errors import CompanionError

Button = Literal["wake", "mute", "unmute", "stop"]
BUTTONS: Final[tuple[Button, ...]] = get_args(Button)
COMMANDS: Final = (*BUTTONS, "volume", "say", "persona", "reload", "status", "owner")
OwnerWish = Literal["open", "close", "status", "reset-pin", "consent", "withdraw"]
OWNER_WISHES: Final[tuple[OwnerWish, ...]] = get_args(OwnerWish)
LONGEST_REQUEST: Final = 4096
LONGEST_ANSWER: Final = 65_536
LONGEST_TEXT: Final = 1000
"""Characters of a `say`."""

_PERSONA = re.compile(r"\w[\w.-]{0,63}")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and line breaks."""


class BadRequest(CompanionError):
    """A request that cannot be parsed. The sentence says what can be sent."""

    code = "request"
    exit_status = 2


@dataclass(frozen=True, slots=True)
class PressButton:
    """Press one of the device's buttons."""

    button: Button


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Set the volume."""

    percent: int
    """0 to 100."""


@dataclass(frozen=True, slots=True)
class Say:
    """Let the character say something."""

    text: str
    """1 to `LONGEST_TEXT` characters on one line."""


@dataclass(frozen=True, slots=True)
class ReloadPersona:
    """Reload the persona's file, or switch to another persona."""

    persona: str | None = None
    """A persona in the same folder, by its file's name or its character's; None reloads the present one."""


@dataclass(frozen=True, slots=True)
class GetStatus:
    """Ask for the device's status."""


@dataclass(frozen=True, slots=True)
class AskOwnerPage:
    """Do something with the owner's page, or for the owner."""

    wish: OwnerWish
    by: str = ""
    """Who consents, in their own words; with `consent` only."""


Request = PressButton | SetVolume | Say | ReloadPersona | GetStatus | AskOwnerPage


@dataclass(frozen=True, slots=True)
class Answer:
    """The daemon's answer to a request."""

    ok: bool
    sentence: str
    code: str = ""
    """The error code; empty where `ok`."""
    problems: tuple[str, ...] = ()
    """Every problem of a settings file."""
    status: Mapping[str, Any] = field(default_factory=dict)


def parse_request(line: bytes) -> Request:
    """Parse one line, with or without its line end. Raises `BadRequest` and nothing else."""
    if len(line) > LONGEST_REQUEST:
        raise BadRequest(f"The request is too long: at most {LONGEST_REQUEST} bytes.")
    try:
        words = line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadRequest("The request is not UTF-8 text.") from error
    if _NO_TEXT.search(words):
        raise BadRequest("The request holds a line break or a control character; send one line of plain text.")
    command, _, rest = words.partition(" ")
    rest = rest.strip()
    if command == "volume":
        return SetVolume(_percent(rest))
    if command == "say":
        return Say(_text(rest))
    if command == "persona":
        return ReloadPersona(_persona(rest))
    if command == "owner":
        return _owner(rest)
    if rest or command not in COMMANDS:
        raise BadRequest(f"There is no such request; there is {', '.join(COMMANDS)}.")
    if command == "reload":
        return ReloadPersona()
    if command == "status":
        return GetStatus()
    return PressButton(next(button for button in BUTTONS if button == command))


def request_line(request: Request) -> bytes:
    """The line for `parse_request`. Raises `BadRequest` for a request that it would refuse."""
    words: str
    match request:
        case PressButton(button):
            words = button
        case SetVolume(percent):
            words = f"volume {percent}"
        case Say(text):
            words = f"say {text}"
        case ReloadPersona(None):
            words = "reload"
        case ReloadPersona(persona):
            words = f"persona {persona}"
        case GetStatus():
            words = "status"
        case AskOwnerPage(wish, by):
            words = f"owner {wish} {by}".rstrip()
    line = words.encode("utf-8", "replace")
    parse_request(line)
    return line + b"\n"


def answer_line(answer: Answer) -> bytes:
    """The answer as one line."""
    fields: dict[str, Any] = {"ok": answer.ok, "sentence": answer.sentence}
    if answer.code:
        fields["code"] = answer.code
    if answer.problems:
        fields["problems"] = list(answer.problems)
    if answer.status:
        fields["status"] = dict(answer.status)
    line = json.dumps(fields).encode("ascii") + b"\n"
    if len(line) > LONGEST_ANSWER:
        short = answer.sentence[:LONGEST_TEXT]
        line = json.dumps({"ok": answer.ok, "sentence": short, "code": answer.code}).encode("ascii") + b"\n"
    return line


def parse_answer(line: bytes) -> Answer:
    """Parse the daemon's answer. Raises `BadRequest` where it cannot be parsed."""
    try:
        fields = json.loads(line)
        answer = Answer(
            fields["ok"] is True,
            str(fields["sentence"]),
            str(fields.get("code", "")),
            tuple(str(one) for one in fields.get("problems", ())),
            dict(fields.get("status", {})),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRequest("The daemon's answer cannot be understood; are both of the same version?") from error
    return answer


def _percent(words: str) -> int:
    number = words.removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}", number) or int(number) > 100:
        raise BadRequest("Write the volume as a whole number from 0 to 100, for example: volume 40.")
    return int(number)


def _text(words: str) -> str:
    if not words:
        raise BadRequest("Write what to say, for example: say Good morning.")
    if len(words) > LONGEST_TEXT:
        raise BadRequest(f"That is too much to say at once: at most {LONGEST_TEXT} characters.")
    return words


def _owner(words: str) -> AskOwnerPage:
    said, _, by = words.partition(" ")
    wish = next((one for one in OWNER_WISHES if one == said), None)
    if wish is None or bool(by.strip()) != (wish == "consent") or len(by) > 100:
        raise BadRequest(f"Write owner and one of {', '.join(OWNER_WISHES)}; behind consent who gives it.")
    return AskOwnerPage(wish, by.strip())


def _persona(words: str) -> str:
    name = words.removesuffix(".toml")
    if not _PERSONA.fullmatch(name):
        raise BadRequest("Write the name of a persona, for example: persona robin. It is a file's name, no path.")
    return name
