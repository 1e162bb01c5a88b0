"""The demonstration: live where there is a sound card, else a conversation from a file, transcribed and drawn.

In the file demonstration espeak-ng plays the user: it says the wake word and three turns, each within the time in which
no wake word is needed. The product itself answers, with its real engines and the emulated character service.
"""

from __future__ import annotations

import json
import logging
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from companion.app import converse_with_files
from companion.config.unit import load_unit
from companion.service.daemon import run_until_stopped
from companion.service.transcript import transcript_line
from companion.config.device import Device
from companion.ears import wake_words
from companion.errors import CompanionError, DeviceError
from companion.events import EAR_RATE
from companion.config.persona import Persona, PersonaVoice
from companion.demo.picture import draw_turn
from companion.plugins import build_engine
from companion.sound.pcm import resample

WAKE = "okay nabu"
TURNS = ("hello momo how are you today", "i am sad please tell me a story", "thank you momo dance with me")
USER_VOICE = "en-us+m3"
LEAD_S = 1.0
"""Silence before the wake word."""
PAUSE_AFTER_WAKE_S = 0.4
REPLY_S = 11.0
"""Silence after each turn, for the answer."""
_LEGEND = "         * = what the body showed along with these words: an emotion or a gesture (docs/cues.md)"


@dataclass(frozen=True)
class WavAudio:
    """The samples of one WAV file."""

    pcm: bytes
    rate: int
    """Samples per second."""


async def demonstrate(project: Path, out: Path, *, from_file: bool) -> None:
    """Run live, or write `user.wav`, `reply.wav`, `events.jsonl` and `turn-N.svg` into `out`."""
    from companion.sound.card import SoundCard

    missing = "as asked" if from_file else SoundCard().find_problem()
    if missing is None:
        device_file = project / "configs" / "devices" / "desk.toml"
        device, persona = load_unit(device_file)
        click.echo(
            f'Say "{wake_words.spoken(device.ears.wake.listed[0])}" and talk. Ctrl-C ends. What it understood, said and felt (*) '
            f"is shown here. For better ears and a better voice: {_program()} models pull {persona.language}",
            err=True,
        )
        await run_until_stopped(device, persona, None, {}, device_file)
        return
    click.echo(f"Playing the demonstration from a file into {out}/ ({missing}); this takes some seconds.", err=True)
    await _play_from_file(project, out)


async def _play_from_file(project: Path, out: Path) -> None:
    _make_folder(out)
    user, reply, events = out / "user.wav", out / "reply.wav", out / "events.jsonl"
    device, persona = load_demo_unit(project)
    write_wav(user, await user_speech(device, persona))
    logging.getLogger("companion").info("The user is espeak-ng; the character is the scripted stand-in.")
    await converse_with_files(device, persona, user, reply, events)
    logged = _events(events)
    if (why := _nothing_answered(logged)) is not None:
        raise CompanionError(f"The demonstration came to nothing: {why} What was heard and said is in {out}/.")
    for number, picture in enumerate(_draw_turns(user, reply, logged, device), 1):
        (out / f"turn-{number}.svg").write_text(picture, encoding="utf-8")
    for line in _transcript(logged, persona.name):
        click.echo(line)
    click.echo(_LEGEND)
    click.echo(_what_next(device, persona, out), err=True)


def load_demo_unit(project: Path) -> tuple[Device, Persona]:
    """The unit of the demonstration: in a checkout with the tests' small models, else with the engines of this unit."""
    devices = project / "configs" / "devices"
    # Stage directions are allowed here, to show how they leave the speech and become motion.
    settings = ["cues.channel=directions", "character.emulator=always", "memory.mode=off"]
    device_file = devices / "demo.toml"
    return load_unit(device_file if device_file.is_file() else devices / "desk.toml", settings)


def _what_next(device: Device, persona: Persona, out: Path) -> str:
    program = _program()
    models = ""
    if device.ears.transcriber.model is not None:
        models = (
            "It heard and spoke with two small models that were made for tests (the transcriber knows 248 words).\n"
            f"  {program} models pull {persona.language}    fetches better ones, about 100 MB, for {program} run\n"
        )
    return (
        f"\nListen to {out}/reply.wav; open {out}/turn-1.svg in a browser: what happened when, with times in seconds.\n"
        f"{models}"
        f"Without a key its lines are scripted: docs/install.md says where the key goes. {program} --help lists the rest."
    )


def _program() -> str:
    # After `make run` in a checkout nothing is on the PATH.
    return "companion" if shutil.which("companion") else ".venv/bin/companion"


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{out}: the demonstration cannot be written there: {error.strerror}") from error


async def user_speech(device: Device, persona: Persona) -> bytes:
    """The user's side of the conversation as 16 kHz PCM, spoken by espeak-ng in a voice other than the character's."""
    user = persona.model_copy(update={"speech": PersonaVoice(espeak=USER_VOICE)})
    voice = build_engine("synthesizers", "espeak", device, user)
    silence = bytes(2)
    try:
        parts = [silence * round(LEAD_S * voice.rate), (await voice.synthesize(WAKE)).pcm]
        parts.append(silence * round(PAUSE_AFTER_WAKE_S * voice.rate))
        for turn in TURNS:
            parts += [(await voice.synthesize(turn)).pcm, silence * round(REPLY_S * voice.rate)]
    finally:
        await voice.close()
    return resample(b"".join(parts), voice.rate, EAR_RATE)


def write_wav(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, EAR_RATE, 0, "NONE", ""))
        file.writeframes(pcm)


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _turn_spans(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Start and end of each turn: from its first spoken word to the end of the answer.

    An own line that follows a failed turn is a turn in the events; here both are one.
    """
    spans: list[tuple[float, float]] = []
    start: float | None = None
    for event in events:
        if event["kind"] == "utterance":
            start = max(0.0, event["start"] - 1.5)
            spans.append((start, start))
        elif event["kind"] == "turn" and start is not None:
            spans[-1] = (start, event["t"] + 0.5)
    return [(start, end) for start, end in spans if end > start]


def _nothing_answered(events: list[dict[str, Any]]) -> str | None:
    """Why there is no turn to show, as a sentence; None where at least one was answered."""
    understood = sum(event["kind"] == "utterance" for event in events)
    failures = [event["sentence"] for event in events if event["kind"] == "error"]
    if not understood:
        return failures[-1] if failures else "nothing of the user's speech was understood."
    return failures[-1] if len(failures) >= understood else None


def _draw_turns(user: Path, reply: Path, logged: list[dict[str, Any]], device: Device) -> list[str]:
    heard, said = _read_wav(user), _read_wav(reply)
    units = {name: "°" for name, one in device.body.channels.items() if one.kind == "servo"}
    return [
        draw_turn(heard.pcm, said.pcm, heard.rate, said.rate, logged, start, end, units)
        for start, end in _turn_spans(logged)
    ]


def _read_wav(path: Path) -> WavAudio:
    with wave.open(str(path), "rb") as file:
        return WavAudio(file.readframes(file.getnframes()), file.getframerate())


def _transcript(events: list[dict[str, Any]], name: str) -> list[str]:
    """The conversation as readable lines."""
    lines = []
    for event in events:
        line = transcript_line(event["kind"], event, name, "user")
        if line is not None:
            lines.append(f"{event['t']:6.2f} s  {line}")
    return lines
