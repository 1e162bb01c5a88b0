"""What each part of the path costs by itself, without a sound card or a service.

    .venv/bin/python -m bench.parts [--only WORD]

Sound is made by espeak-ng or is noise; models are the small ones in tests/data. CPU is of the calling process, all of
its threads; what a child process uses is not in it. Each line is a median unless it says otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import statistics
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]  # it has no types

from companion import plugins
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.config.device import Device
from companion.config.persona import Persona, load_persona
from companion.config.wake import WAKE_WORDS, WakeSettings
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, Cue
from companion.plugins import BEST_SYNTHESIZERS
from companion.ports import WakeWord
from companion.voice.sentences import Sentences
from companion.voice.stage.stage import Stage

PROJECT = Path(__file__).resolve().parent.parent
TEDDY = PROJECT / "configs" / "personas" / "teddy.toml"
DATA = PROJECT / "tests" / "data"
WORDS = ("what is your name", "tell me a story", "i am sad", "dance with me", "sing a song please", "how are you")
CLAUSE = "I am glad to see you."
FRAME = 512
WAKE_ENGINES = {"wake word": 1, "two wake words": 2, "four wake words": 4}
ROUNDS = 5
RUNS = 24


def median_ms(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median time of a call in milliseconds of this process's CPU."""
    took = []
    for _ in range(runs):
        began = time.process_time()
        work()
        took.append((time.process_time() - began) * 1000)
    return statistics.median(took)


def spoken(text: str) -> bytes:
    """espeak-ng's words at the rate of the ears, with a little quiet around them."""
    done = subprocess.run(["espeak-ng", "-v", "en-us", "--stdout", text], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(len(done.stdout)), "<i2")
    quiet = np.zeros(EAR_RATE // 4, "<i2")
    return bytes(np.concatenate([quiet, soxr.resample(samples, rate, EAR_RATE).astype("<i2"), quiet]).tobytes())


def noise(seconds: float) -> list[AudioFrame]:
    """A quiet room, in frames of 32 ms."""
    pcm = np.random.default_rng(1).normal(0, 40, round(EAR_RATE * seconds)).astype("<i2").tobytes()
    step = FRAME * SAMPLE_BYTES
    return [AudioFrame(pcm[at : at + step], at // SAMPLE_BYTES) for at in range(0, len(pcm) - step, step)]


def ears(device: Device, persona: Persona) -> Iterator[str]:
    """Wake words and voice activity: CPU seconds a second of sound, the engines in turns."""
    frames = noise(60)
    detector = plugins.build_engine("speech_detectors", "silero", device, persona)
    engines: dict[str, Callable[[AudioFrame], object]] = {
        **{name: wake_words(device, persona, count).detect for name, count in WAKE_ENGINES.items()},
        "voice activity": lambda frame: detector.probability(frame.pcm),
    }
    took: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, work in engines.items():
            began = time.process_time()
            for frame in frames:
                work(frame)
            took[name].append((time.process_time() - began) / (len(frames) * FRAME / EAR_RATE))
    one = statistics.median(took["wake word"])
    for name, rounds in took.items():
        median = statistics.median(rounds)
        share = f", {median / one:.2f} times one" if name in WAKE_ENGINES and name != "wake word" else ""
        yield f"{name:<22} {median:.4f} CPU s/s{share}"


def wake_words(device: Device, persona: Persona, count: int) -> WakeWord:
    """The engine with so many of the ready-made words."""
    wake = WakeSettings.model_validate({"words": list(WAKE_WORDS[:count])})
    several = device.model_copy(update={"ears": device.ears.model_copy(update={"wake": wake})})
    engine: WakeWord = plugins.build_engine("wake_words", "micro", several, persona)
    return engine


async def transcriber(name: str, device: Device, persona: Persona) -> str:
    """From the end of speech to the words, with everything before it fed already: wall time."""
    engine = plugins.build_engine("transcribers", name, device, persona)
    took = []
    try:
        for text in WORDS * (RUNS // len(WORDS)):
            pcm = spoken(text)
            await engine.start()
            for at in range(0, len(pcm), 4 * FRAME * SAMPLE_BYTES):
                await engine.feed(pcm[at : at + 4 * FRAME * SAMPLE_BYTES])
            began = time.perf_counter()
            await engine.finish()
            took.append((time.perf_counter() - began) * 1000)
    finally:
        await engine.close()
    return f"{name:<22} {statistics.median(took):.1f} ms, p90 {sorted(took)[int(len(took) * 0.9)]:.1f} ms after the end"


async def synthesizer(name: str, device: Device, persona: Persona) -> str:
    """One clause, wall time."""
    engine = plugins.build_engine("synthesizers", name, device, persona)
    took = []
    try:
        await engine.synthesize(CLAUSE)
        for _ in range(RUNS):
            await asyncio.sleep(0.05)  # as between two sentences: a spare process gets ready meanwhile
            began = time.perf_counter()
            await engine.synthesize(CLAUSE)
            took.append((time.perf_counter() - began) * 1000)
    finally:
        await engine.close()
    return f"{name:<22} {statistics.median(took):.1f} ms for {len(CLAUSE)} characters"


def stage() -> Iterator[str]:
    """Stage and sentences: CPU a token of four characters."""
    answers = [
        json.loads(line)["text"] for line in (PROJECT / "tests/golden/stage.jsonl").read_text("utf-8").splitlines()
    ]
    deltas = [[text[at : at + 4] for at in range(0, len(text), 4)] for text in answers]

    def walk() -> None:
        for answer in deltas:
            read, sentences = Stage("Momo"), Sentences()
            for piece in (piece for delta in answer for piece in read.feed(delta)):
                sentences.feed(piece)
            for piece in read.close():
                sentences.feed(piece)
            sentences.close()

    tokens = sum(map(len, deltas))
    yield f"{'stage and sentences':<22} {median_ms(walk, 5) * 1000 / tokens:.1f} µs a token ({len(answers)} answers)"


def body(device: Device) -> Iterator[str]:
    """One frame amid motion."""
    performer = Performer(load_choreography(None), device.body.channels, idle_life=True)
    frames = 500

    def play() -> None:
        for index in range(frames):
            t = index * 0.02
            if index % 50 == 0:
                performer.play_cue(Cue("happy", "nod", 1.0, 0, "direction"), t)
            performer.frame(t)

    yield f"{'one frame of the body':<22} {median_ms(play, 3) / frames:.3f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only the lines with this word in their part's name")
    only = parser.parse_args().only
    device = Device.model_validate(
        {
            "persona": TEDDY,
            "ears": {"transcriber": {"model": DATA / "vosk-tiny"}},
            "voice": {"model": DATA / "piper-tiny" / "en_XX-tiny-low.onnx"},
        }
    )
    persona = load_persona(TEDDY)
    if "ears".startswith(only):
        print(*ears(device, persona), sep="\n")
    for name in ("vosk", "pocketsphinx"):
        if name.startswith(only):
            print(asyncio.run(transcriber(name, device, persona)))
    for name in BEST_SYNTHESIZERS:
        if name.startswith(only):
            print(asyncio.run(synthesizer(name, device, persona)))
    if "stage".startswith(only):
        print(*stage(), sep="\n")
    if "body".startswith(only):
        print(*body(device), sep="\n")


if __name__ == "__main__":
    main()
