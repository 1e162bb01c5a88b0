"""Who is cut off, and how long the decision takes: recordings of people in, both figures out. Faster than real time.

    .venv/bin/python -m bench.turn_taking [FOLDER] [--answer-ms 600] [--set KEY=VALUE]

Each recording (FLAC or WAV, read by sox) goes through the real ears: voice activity detection, endpointing, the
transcriber's words and the pause that they ask for. The answer's first sound is heard when it is ready (`--answer-ms`
after the speech was likely over) and the pause was long enough. Whoever goes on before that drops it and is cut off by
nobody; whoever goes on later has heard the sound of a wrong answer. The table below says the same of a fixed silence:
there everybody who goes on after it is cut off. What goes on may be a noise; both count it.

Without a folder espeak-ng says sentences with pauses in them, which tells less: its pauses are those of this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import row, summary
from companion import plugins
from companion.config.device import Device, EarsSettings, EndpointSettings
from companion.config.persona import Persona
from companion.config.unit import load_unit
from companion.ears.attention import Attention
from companion.ears.endpointing import Endpointer, Framer, SpeechEnded, SpeechPaused
from companion.ears.listener import Listener
from companion.ears.turn_taking import TurnTaking
from companion.events import (
    EAR_RATE,
    SAMPLE_BYTES,
    AudioFrame,
    LikelyUtterance,
    SpeechStarted,
    Utterance,
)
from companion.languages.understood import understood
from companion.ports import SpeechDetector, Transcriber

PROJECT = Path(__file__).resolve().parent.parent
QUIET_S = 4.0
"""Silence behind every recording."""
FIXED_S = (0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2)
STEP = 512
SENTENCES = ("turn on the light", "can you tell me a story", "what is the name of your friend", "make me a coffee")
MORE = ("and the fan in the kitchen", "with a bear in it please", "who lives in the garden", "no wait a tea")
PAUSES_S = (0.3, 0.5, 0.8, 1.2)


@dataclass(frozen=True)
class Outcome:
    """One recording."""

    cut_off: bool
    """Whether somebody who went on had heard the sound of an answer."""
    dropped: int
    """Answers that were made ahead and dropped before their sound, because of more words."""
    decided_ms: float
    """From the end of the speech to the decision that it is over."""
    sound_ms: float
    """From the end of the speech to the answer's sound."""


class Recording:
    """Satisfies `ports.Microphone`: the sound, and silence behind it."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm + bytes(round(QUIET_S * EAR_RATE) * SAMPLE_BYTES)

    async def frames(self) -> AsyncIterator[AudioFrame]:
        for at in range(0, len(self._pcm), STEP * SAMPLE_BYTES):
            yield AudioFrame(self._pcm[at : at + STEP * SAMPLE_BYTES], at // SAMPLE_BYTES)

    def time_of(self, position: int) -> float:
        return position / EAR_RATE

    async def close(self) -> None:
        pass


def read(file: Path) -> bytes:
    """The recording as the ears take it."""
    command = ["sox", str(file), "-t", "raw", "-r", str(EAR_RATE), "-c", "1", "-b", "16", "-e", "signed", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def spoken(text: str) -> bytes:
    """espeak-ng's words, without silence around them."""
    said = subprocess.run(["espeak-ng", "-z", "--stdout", text], capture_output=True, check=True).stdout
    convert = ["sox", "-t", "wav", "-", "-t", "raw", "-r", str(EAR_RATE), "-c", "1", "-b", "16", "-e", "signed", "-"]
    return subprocess.run(convert, input=said, capture_output=True, check=True).stdout


def recordings(folder: Path | None) -> Iterator[bytes]:
    if folder is not None:
        yield from (read(file) for file in sorted(folder.iterdir()) if file.suffix in (".flac", ".wav"))
        return
    lead = bytes(EAR_RATE // 2 * SAMPLE_BYTES)
    for first, more in zip(SENTENCES, MORE, strict=True):
        yield lead + spoken(first)
        for pause in PAUSES_S:
            yield lead + spoken(first) + bytes(round(pause * EAR_RATE) * SAMPLE_BYTES) + spoken(more)


async def talk(
    pcm: bytes,
    settings: EarsSettings,
    taking: TurnTaking,
    detector: SpeechDetector,
    transcriber: Transcriber,
    ms: float,
) -> Outcome | None:
    """One recording through the ears; None where no words were understood."""
    detector.reset()
    listener = Listener(Recording(pcm), None, detector, transcriber, settings, taking.pause_after)
    listener.listen_for(Attention.WORDS())
    likely = sound = decided = end = 0.0
    cut_off = answered = False
    asked: list[str] = []
    async for heard in listener.hear():
        match heard:
            case LikelyUtterance():
                likely = heard.utterance.decided / EAR_RATE
                if asked[-1:] != [heard.utterance.text]:
                    asked.append(heard.utterance.text)
            case Utterance():
                end, decided, answered = heard.end / EAR_RATE, listener.position / EAR_RATE, True
                sound = max(decided, likely + ms / 1000)
            case SpeechStarted() if answered:
                cut_off = cut_off or heard.at / EAR_RATE >= sound
    return Outcome(cut_off, len(asked) - 1, (decided - end) * 1000, (sound - end) * 1000) if answered else None


def fixed(pcm: bytes, detector: SpeechDetector, silence_s: float) -> tuple[bool, float]:
    """Whether a fixed silence cuts this person off, and how long after the end of speech it decides, in ms."""
    detector.reset()
    endpointer = Endpointer(EndpointSettings(silence_s=silence_s, likely_s=silence_s))
    endpointer.begin(0, float("inf"))
    started, decided_ms = 0, float("nan")
    sound = pcm + bytes(round(QUIET_S * EAR_RATE) * SAMPLE_BYTES)
    for frame in Framer(detector.frame_samples).frames(AudioFrame(sound, 0)):
        match endpointer.feed(frame, detector.probability(frame.pcm)):
            case SpeechStarted():
                started += 1
            case SpeechEnded() as ended:
                endpointer.begin(ended.decided, float("inf"))
            case SpeechPaused() as paused:
                # The pause is as long as the silence: the next frame ends it.
                endpointer.wait_for(silence_s)
                decided_ms = (paused.decided - paused.end) / EAR_RATE * 1000
    return started > 1, decided_ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument(
        "--answer-ms", type=float, default=600.0, help="the answer is ready so long after the likely end"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    # Faster than real time, a transcriber may be far behind: that is no hang.
    device, persona = load_unit(PROJECT / "configs/devices/desk.toml", ["ears.transcriber.timeout_s=120", *options.set])
    sounds = list(recordings(options.folder))
    detector = plugins.build_engine("speech_detectors", "silero", device, persona)
    began = time.monotonic()
    name, outcomes = asyncio.run(through_ears(sounds, device, persona, detector, options))
    heard = [one for one in outcomes if one is not None]
    rows = {silence: [fixed(pcm, detector, silence) for pcm in sounds] for silence in FIXED_S}
    result = {
        "bench": "turn_taking",
        "recordings": len(sounds),
        "transcriber": name,
        "understood": len(heard),
        "cut_off": sum(one.cut_off for one in heard),
        "cut_off_percent": round(100 * sum(one.cut_off for one in heard) / max(1, len(heard)), 1),
        "dropped_unheard": sum(one.dropped for one in heard),
        "decided_ms": summary([one.decided_ms for one in heard]),
        "sound_ms": summary([one.sound_ms for one in heard]),
        "fixed": {
            f"{silence:g}": {
                "cut_off_percent": round(100 * sum(cut for cut, _ in found) / len(found), 1),
                "decided_ms": round(statistics.median(ms for _, ms in found if ms == ms)),
            }
            for silence, found in rows.items()
        },
    }
    table(result, heard, time.monotonic() - began)
    print(json.dumps(result))


async def through_ears(
    sounds: Sequence[bytes], device: Device, persona: Persona, detector: SpeechDetector, options: argparse.Namespace
) -> tuple[str, list[Outcome | None]]:
    settings, order = device.ears, plugins.BEST_TRANSCRIBERS
    transcriber = plugins.build_best("transcribers", settings.transcriber.engine, order, device, persona)
    taking = TurnTaking(settings.endpoint, understood(persona.language), persona.patience, persona.names)
    try:
        return transcriber.name, [
            await talk(pcm, settings, taking, detector, transcriber, options.answer_ms) for pcm in sounds
        ]
    finally:
        await transcriber.close()


def table(result: dict[str, object], heard: list[Outcome], took_s: float) -> None:
    print(f"{result['recordings']} recordings, words by {result['transcriber']}, {took_s:.0f} s")
    print(
        f"  heard a wrong answer's sound: {result['cut_off']} of {result['understood']} ({result['cut_off_percent']} %)"
    )
    print(f"  answers made ahead and dropped unheard, because of more words: {result['dropped_unheard']}")
    print(row("  end of speech -> decision, ms", [one.decided_ms for one in heard]))
    print(row("  end of speech -> sound, ms", [one.sound_ms for one in heard]))
    print("a fixed silence:")
    fixed = result["fixed"]
    assert isinstance(fixed, dict)
    for silence, told in fixed.items():
        print(f"  {silence:>4} s   cut off {told['cut_off_percent']:5.1f} %   decided after {told['decided_ms']:5} ms")


if __name__ == "__main__":
    main()
