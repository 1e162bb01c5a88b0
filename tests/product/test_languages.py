"""A conversation in each language, from sound to sound: cues, memory and goodbye.

The person is espeak-ng and so is the character; the service is the emulator. Only the words that were heard are given:
there is no model of these languages that is small enough for the tests.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from companion.app import converse_with_files
from companion.config.unit import load_unit
from tests.support import words_given
from tests.support.paths import ROOT
from tests.support.synthetic_user import conversation_wav

CONFIGS = ROOT / "configs"


@dataclass(frozen=True)
class Talk:
    """What somebody says to one persona."""

    persona: str
    voice: str
    told: str
    sad: str
    asked: str
    """On another day, about what was told."""
    remembered: str
    goodbye: str
    says_goodbye: str
    """A part of the persona's own goodbye."""


TALKS = {
    "de": Talk(
        "bruno", "de", "mein hund heißt bello", "ich bin traurig",
        "wie heißt mein hund", "bello", "tschüss bruno", "Apfelbaum",
    ),
    "es": Talk(
        "lucero", "es", "mi perro se llama toby", "estoy triste",
        "cómo se llama mi perro", "toby", "adiós lucero", "Adiós",
    ),
    "fr": Talk(
        "pistache", "fr-fr", "mon chien s'appelle rex", "je suis triste",
        "comment s'appelle mon chien", "rex", "au revoir pistache", "étang",
    ),
    "ko": Talk(
        "tori", "ko", "우리 강아지 이름은 초코야", "나 슬퍼",
        "우리 강아지 이름이 뭐야", "초코", "잘 가 토리", "안녕",
    ),
    "pt": Talk(
        "caju", "pt-br", "meu cachorro se chama rex", "estou triste",
        "como se chama o meu cachorro", "rex", "tchau caju", "estrelas",
    ),
}  # fmt: skip


async def converse(talk: Talk, folder: Path, *turns: str) -> list[dict[str, Any]]:
    """The events of a conversation in which somebody says these things. The memory is kept from one to the next."""
    heard = conversation_wav(folder / "user.wav", "okay nabu", *turns, voice=talk.voice, room_s=8.0)
    words_given.GIVEN.extend(turns)
    device, persona = load_unit(
        CONFIGS / "devices" / "demo.toml",
        (
            f"persona={CONFIGS / 'personas' / talk.persona}.toml",
            f"ears.transcriber.engine={words_given.ENGINE}",
            "voice.engine=espeak",
            "memory.mode=local",
        ),
    )
    await converse_with_files(device, persona, heard, folder / "reply.wav", folder / "events.jsonl")
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("code", TALKS)
async def test_a_conversation_with_cues_memory_and_goodbye(code: str, tmp_path: Path) -> None:
    talk = TALKS[code]
    events = await converse(talk, tmp_path, talk.told, talk.sad, talk.goodbye)
    said = [event["text"] for event in events if event["kind"] == "heard"]
    assert talk.says_goodbye in said[-1]
    assert not any(mark in text for text in said for mark in "()*[]")
    shown = {event["emotion"] for event in events if event["kind"] == "cue"}
    assert {"sad", "affectionate"} & shown
    assert len(shown) >= 2

    events = await converse(talk, tmp_path, talk.asked)
    said = [event["text"] for event in events if event["kind"] == "heard"]
    assert talk.remembered in said[-1].lower()
