"""A talk with the daemon on a virtual sound card, for what is measured of one: the person, and the unit.

The unit is a process of its own with the product's settings, but for the engines of known speed, and without the sound
at the wake word, which would be taken for an answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.sound_card import VirtualCard

PROJECT = Path(__file__).resolve().parent.parent


def user_wav(path: Path, text: str, lead_s: float = 0.0) -> None:
    """The person: `text` by espeak-ng, with silence before it."""
    sound = subprocess.run(
        ["espeak-ng", "-v", "en-us", "-z", "--stdout", "--stdin"], input=text.encode(), capture_output=True, check=True
    ).stdout[44:]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(bytes(2) * round(lead_s * 22050) + sound)


def call_and_question(folder: Path) -> tuple[Path, Path]:
    """The wake word, and something to ask."""
    call, ask = folder / "call.wav", folder / "ask.wav"
    user_wav(call, "okay nabu")
    user_wav(ask, "tell me something about the garden")
    return call, ask


@contextmanager
def unit(
    card: VirtualCard, base_url: str, events: Path, folder: Path, settings: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """`companion run`; what it keeps goes into `folder`. Ended at the end of the block."""
    command = [sys.executable, "-m", "companion", "run", "--events", str(events)]
    for pair in (
        "ears.transcriber.engine=bench.scripted:transcriber",
        "voice.engine=espeak",
        "ears.wake.sound=never",
        f"character.base_url={base_url}",
        f"memory.folder={folder / 'memory'}",
        *settings,
    ):
        command += ["--set", pair]
    private = {"DASHSCOPE_API_KEY": "sk-bench", "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
    daemon = subprocess.Popen(command, env={**card.environment, **private}, cwd=PROJECT)
    try:
        yield daemon
    finally:
        daemon.terminate()
        daemon.wait()


def play(card: VirtualCard, wav: Path) -> None:
    card.play(wav).wait()


def until(events: Path, kind: str, count: int, patience_s: float = 30.0) -> None:
    """Wait until the daemon has noted `count` events of a kind."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if events.exists():
            lines = events.read_text().split("\n")[:-1]
            if sum(json.loads(line)["kind"] == kind for line in lines) >= count:
                return
        time.sleep(0.02)
    raise SystemExit("the daemon did not get there; its events so far:\n" + events.read_text()[-2000:])
