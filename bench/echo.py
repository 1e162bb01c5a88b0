"""Whether it hears itself, or who talks over it: an hour of talk comes back into the microphone of a simulated room.

    .venv/bin/python -m bench.echo [--minutes 60] [--grades cancelled,guard,apm] [--levels 0,-10,-20]

The real ears (detector, endpointing, listener, guard or canceller) hear the loudspeaker's own sound with delays of 20
to 300 ms and reverberation of 0.2 to 0.6 s, and a little noise. Every three minutes there is another room and another
voice, and the ears begin anew. With `cancelled`, which nothing does here, it hears all of it. In a second run people
say something every eight seconds, at the microphone as loud as the echo. Levels are those of the echo: what comes back
in relation to what is played. The voices, rooms and people are others than those that the guard was tuned with. People
are the recordings in ../shared/audio/commands where they are there, else espeak-ng. Nothing here reacts: while it hears
somebody, it plays on, which is harder than in truth.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.room import LOUD, RATE, Sound, at_level, echoed, espeak, level, noise, recording, response
from companion.config.device import EarsSettings
from companion.ears import vad
from companion.ears.attention import Attention
from companion.ears.echo import Grade, past_own_voice
from companion.ears.listener import Listener
from companion.events import AudioFrame, FirstSign, SpeechStarted, Transcript
from companion.sound.played import PlayedSound

AUDIO = Path(__file__).resolve().parents[2] / "shared" / "audio"
VOICES = ("en-gb", "en-us+f2", "en-us+m5", "de", "es", "fr+f4", "en-gb-scotland+m7")
ROOM_S = 180
EVERY_S = 8
BLOCK = 512
NOISE = 10 ** (-60 / 20)
_LATE_S = 0.3
_AHEAD = round(0.04 * RATE)
"""What the card was given is known so long before it is heard."""

STORY = (
    "Long ago a miller had three sons, a mill, a donkey and a cat. What do you think the youngest got? The cat! "
    "He was sad about it, but the cat said: give me a bag and a pair of boots, and you shall see. "
    "Off it went into the forest, and there it lay down as if it were dead. Soon a rabbit came along.",
    "The moon is a ball of rock, and it has no light of its own. It shines because the sun shines on it. "
    "Would you like to know why it changes its shape? Each night we see another part of the side that is lit. "
    "Hmm. Maybe we should build a rocket and look for ourselves. Five, four, three, two, one!",
)


@dataclass
class Room:
    """One voice in one room, and who speaks there. Satisfies `ports.Microphone`."""

    played: PlayedSound
    voice: Sound
    sound: Sound
    """What the microphone hears."""
    people: list[tuple[int, int]] = field(default_factory=list)
    """Where somebody speaks, in samples."""

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """As fast as they are taken."""
        pcm = (np.clip(self.sound, -1, 1) * 32767).astype("<i2")
        voice = (np.clip(self.voice, -1, 1) * 32767).astype("<i2")
        self._put(voice, 0, _AHEAD)
        for at in range(0, len(pcm) - BLOCK + 1, BLOCK):
            self._put(voice, at + _AHEAD, BLOCK)
            yield AudioFrame(pcm[at : at + BLOCK].tobytes(), at)

    def _put(self, voice: Sound, at: int, samples: int) -> None:
        piece = voice[at : at + samples]
        if piece.any():
            self.played.put(piece.tobytes(), RATE, at / RATE)

    def time_of(self, position: int) -> float:
        """Seconds of audio time."""
        return position / RATE

    async def close(self) -> None:
        """Nothing to close."""


class NoWords:
    """A transcriber that understands nothing: only whether speech is heard counts."""

    name = "none"

    async def start(self) -> None: ...
    async def cancel(self) -> None: ...
    async def close(self) -> None: ...

    async def feed(self, pcm: bytes) -> str:  # noqa: ARG002 - the port's signature
        """No words."""
        return ""

    async def finish(self) -> Transcript:
        """No words."""
        return Transcript("", 0.0)


def voices() -> Iterator[Sound]:
    """Voices of the character: each an answer with a pause behind it, for ever."""
    pause = np.zeros(2 * RATE, np.float32)
    spoken = [[espeak(text, voice) for text in STORY] for voice in VOICES]
    read = sorted((AUDIO / "talk" / "read").glob("*.flac"))[8:]
    if read:
        spoken.append([recording(one) for one in read])
    answers = [[np.concatenate([at_level(one, LOUD), pause]) for one in voice] for voice in spoken]
    while True:
        for voice in answers:
            whole = np.concatenate(voice)
            yield np.tile(whole, ROOM_S * RATE // len(whole) + 1)[: ROOM_S * RATE]


def from_first_word(sound: Sound) -> Sound:
    """Without the silence before it: one of the recordings begins with four seconds of that."""
    return sound[max(0, int(np.argmax(np.abs(sound) > 0.1 * np.abs(sound).max())) - RATE // 10) :]


def people() -> list[Sound]:
    """What people say over it."""
    found = sorted((AUDIO / "commands").glob("*.flac"))[30:]
    if found:
        return [from_first_word(recording(one))[: 4 * RATE] for one in found]
    return [espeak(text, "en-gb-x-rp+f1") for text in ("no, tell me about the fox", "wait a moment, what is a mill?")]


def room(rng: np.random.Generator, voice: Sound, echo_db: float, speakers: list[Sound]) -> Room:
    """A room in which the echo is so loud; `speakers` speak over it in turn, if there are any."""
    impulse = response(rng, rng.uniform(0.02, 0.3), rng.uniform(0.2, 0.6), 10 ** (echo_db / 20))
    echo = echoed(voice, impulse)
    sound = echo + noise(rng, len(echo), NOISE)
    spoken = []
    loud = level(echo)
    for number, at in enumerate(range(EVERY_S * RATE, len(sound) - EVERY_S * RATE, EVERY_S * RATE) if speakers else ()):
        words = at_level(speakers[(number + rng.integers(len(speakers))) % len(speakers)], loud)
        sound[at : at + len(words)] += words
        spoken.append((at, at + len(words)))
    return Room(PlayedSound(), voice, sound.astype(np.float32), spoken)


async def started(room: Room, grade: Grade) -> tuple[list[int], int]:
    """Where the ears hear speech begin, and how often they hear a first sign of it: then the voice gets quieter."""
    microphone, is_person = past_own_voice(grade, room, room.played, [])
    detector = vad.build(None, None)  # type: ignore[arg-type]  # it needs neither
    ears = Listener(microphone, None, detector, NoWords(), EarsSettings(), is_person=is_person)
    ears.listen_for(Attention.SPEECH)
    heard = [one async for one in ears.hear()]
    signs = sum(isinstance(one, FirstSign) and one.of == "speech" for one in heard)
    return [one.at for one in heard if isinstance(one, SpeechStarted)], signs


def measure(grade: Grade, echo_db: float, minutes: float) -> dict[str, float | str]:
    """One row."""
    rooms = max(1, round(minutes * 60 / ROOM_S))
    rng, voice = np.random.default_rng(20261128), voices()
    alone = [asyncio.run(started(room(rng, next(voice), echo_db, []), grade)) for _ in range(rooms)]
    heard = said = 0
    speakers = people()
    for _ in range(max(1, rooms // 4)):
        with_people = room(rng, next(voice), echo_db, speakers)
        begun, _ = asyncio.run(started(with_people, grade))
        said += len(with_people.people)
        heard += sum(any(first - _LATE_S * RATE <= at <= last for at in begun) for first, last in with_people.people)
    hours = rooms * ROOM_S / 3600
    return {
        "grade": grade,
        "echo_db": echo_db,
        "hours": round(hours, 2),
        "self_triggers": sum(len(begun) for begun, _ in alone),
        "rooms_with_any": sum(bool(begun) for begun, _ in alone),
        "first_signs": sum(signs for _, signs in alone),
        "people": said,
        "heard_share": round(heard / said, 3),
    }


def main() -> None:
    """Print one JSON line for each grade and level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--grades", default="cancelled,guard,apm")
    parser.add_argument("--levels", default="0,-10,-20")
    wanted = parser.parse_args()
    grade: Grade
    for grade in wanted.grades.split(","):
        for echo_db in wanted.levels.split(","):
            print(json.dumps(measure(grade, float(echo_db), wanted.minutes)), flush=True)


if __name__ == "__main__":
    main()
