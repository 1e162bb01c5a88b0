"""Cues and mouth through the whole device: from the loudspeaker's sample to the wire and to the pins.

    python -m bench.cues_live [--cues 200] [--idle]

`companion run` talks on a virtual sound card and moves a body on three outputs: a light and a mouth on the board's pins
(gpiozero's mock), a light, a mouth and servos on the AVR firmware in QEMU behind a serial link, and the page. A process
burns a core meanwhile (not with `--idle`). The device notes its loudspeaker's clock and its pins; what passes on the
wire is noted outside of it, by a relay. Both read the machine's monotonic clock.

A cue's time is when the loudspeaker's position reached its sample. It has arrived with the first command on the wire,
and the first change of a pin, that comes from a frame with the cue in it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt

from bench.link import MOUTH, Relay, qemu
from bench.sound_card import VirtualCard
from companion import app
from companion.events import MOUTH_STEP

FACES = "😀😢😮😡😴😍🤔😨"
SENTENCE = "The bear went down to the river again"
CUES_IN_A_SENTENCE = 4
QUIET_S = 15.0
"""After so long without a moving mouth it has said all: a link that was lost is back by then."""
PROJECT = Path(__file__).resolve().parents[1]
DEVICE = """
name = "bench"
persona = "{project}/configs/personas/teddy.toml"
[character]
emulator = "always"
[memory]
mode = "off"
[voice]
engine = "espeak"
[body]
outputs = ["serial", "gpio", "page"]
night = ""
[body.channels]
glow = {{ kind = "light" }}
eyes = {{ kind = "light" }}
head = {{ kind = "servo" }}
tilt = {{ kind = "servo" }}
left_arm = {{ kind = "servo", low = -20, high = 110 }}
right_arm = {{ kind = "servo", low = -20, high = 110 }}
lip = {{ kind = "mouth" }}
mouth = {{ kind = "mouth" }}
[body.serial]
port = "{port}"
[body.gpio.channels]
eyes = {{ kind = "rgb_led", red = 5, green = 6, blue = 16 }}
lip = {{ kind = "led", pin = 20 }}
"""
"""`mouth` leaves by the wire and `lip` by a pin."""


class Recorded(Relay):
    """Notes every command on the wire."""

    def __init__(self, device: int) -> None:
        self.commands: list[tuple[float, int, dict[int, int]]] = []
        super().__init__(device)

    def _note(self, data: bytes, now: float) -> None:
        from firmware_bridge.messages import Heartbeat, Keyframes, MalformedMessage, Set, decode, position_of

        for body in self._receiver.feed(data):
            with contextlib.suppress(MalformedMessage):  # not ours
                message, seq = decode(body)
                if isinstance(message, Set | Keyframes):
                    values = message.values if isinstance(message, Set) else {}
                    mouths = {number: position_of(value) for number, value in values.items() if number == MOUTH}
                    self.commands.append((now, seq, mouths))
                elif not isinstance(message, Heartbeat):
                    continue


def inside(log: Path, arguments: list[str]) -> None:
    """`companion` with marks at the loudspeaker's clock, at the frames and (by `own_pins`) at the pins."""
    # What is installed counts: an old companion.egg-info in the project's folder would hide the newer outputs.
    sys.path[:] = [one for one in sys.path if one != str(PROJECT)]
    from companion.__main__ import cli as companion
    from companion.body import gpio
    from companion.body.performer import Performer
    from companion.body.timeline import Timeline
    from companion.events import BodyFrame, Cue, SpeechChunk

    marks: list[tuple[Any, ...]] = []

    class MarkedTimeline(Timeline):
        def add(self, start: int, chunk: SpeechChunk) -> None:
            super().add(start, chunk)
            for placed in chunk.cues:
                marks.append(("placed", start + placed.at))
            level = np.frombuffer(chunk.pcm, "<i2").astype(float)
            step = round(chunk.rate * MOUTH_STEP)
            whole = level[: len(level) // step * step].reshape(-1, step)
            marks.append(("loud", start, chunk.rate, np.sqrt((whole**2).mean(axis=1)).round(1).tolist()))

        def due(self, position: int) -> list[Cue]:
            marks.append(("heard", time.monotonic(), position))
            found = super().due(position)
            marks.extend(("due", time.monotonic()) for _ in found)
            return found

    class MarkedPerformer(Performer):
        cues = 0

        def play_cue(self, cue: Cue, t: float) -> None:
            super().play_cue(cue, t)
            self.cues += 1

        def frame(self, t: float) -> BodyFrame:
            frame = super().frame(t)
            marks.append(("frame", time.monotonic(), self.cues))
            return frame

    pins = log.with_name("pin-marks")
    owner = (sys.executable, "-m", "bench.cues_live", "--pins", str(pins))
    try:
        with (
            mock.patch.multiple(app, Timeline=MarkedTimeline, Performer=MarkedPerformer),
            mock.patch.object(gpio, "OWNER", owner),
        ):
            companion(arguments, standalone_mode=False)
    finally:
        marks += json.loads(pins.read_text("utf-8"))
        log.write_text("\n".join(json.dumps(mark) for mark in marks), encoding="utf-8")


def own_pins(log: Path) -> None:
    """The process that owns the pins, with gpiozero's mock pins and marks at each change."""
    from gpiozero import Device  # type: ignore[import-untyped]  # ships no types
    from gpiozero.pins.mock import MockFactory, MockPWMPin  # type: ignore[import-untyped]

    from companion.body import pin_owner

    marks: list[tuple[str, float, str, float]] = []

    class MarkedPin(MockPWMPin):  # type: ignore[misc]  # gpiozero ships no types
        def _change_state(self, value: float) -> bool:
            changed = bool(super()._change_state(value))
            if changed:
                marks.append(("pin", time.monotonic(), self.info.name, float(value)))
            return changed

    Device.pin_factory = MockFactory(pin_class=MarkedPin)
    pin_owner.main()
    log.write_text(json.dumps(marks), encoding="utf-8")


def texts(cues: int) -> Iterator[str]:
    """Sentences with faces amid the words, one every other word."""
    for first in range(0, cues, CUES_IN_A_SENTENCE):
        words = SENTENCE.split()
        for number in range(min(CUES_IN_A_SENTENCE, cues - first)):
            words.insert(1 + 3 * number, FACES[(first + number) % len(FACES)])
        yield " ".join(words) + "."


def talk(card: VirtualCard, folder: Path, relay: Recorded, cues: int) -> list[list[Any]]:
    """Have the device say it all; returns its marks."""
    device, log = folder / "device.toml", folder / "marks"
    device.write_text(DEVICE.format(project=PROJECT, port=relay.port), encoding="utf-8")
    environment = {**card.environment, "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
    command = [sys.executable, "-m", "bench.cues_live", "--inside", str(log), "run", "--device", str(device)]
    running = subprocess.Popen(command, env=environment, cwd=PROJECT)
    try:
        said = list(texts(cues))
        for at in range(0, len(said), 8):
            ask = [sys.executable, "-m", "companion", "control", "say", " ".join(said[at : at + 8])]
            until = time.monotonic() + 60
            while subprocess.run(ask, env=environment, cwd=PROJECT, capture_output=True).returncode:
                if time.monotonic() > until:
                    raise SystemExit("The device does not answer.")
                time.sleep(0.5)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S:
            time.sleep(1.0)
            mouths = [at for at, _, values in relay.commands[-100:] if values.get(MOUTH)]
            quiet_since = max([quiet_since, *mouths[-1:]])
    finally:
        running.terminate()
        running.wait(timeout=20)
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def report(marks: list[list[Any]], relay: Recorded, cues: int) -> None:
    of: dict[str, list[list[Any]]] = {
        kind: [mark[1:] for mark in marks if mark[0] == kind] for kind in ("placed", "heard", "frame", "pin", "loud")
    }
    # The position stands still between two replies: it was reached when it was first seen behind.
    times, positions = np.array([one[0] for one in of["heard"]]), np.array([float(one[1]) for one in of["heard"]])
    counts = [one[1] for one in of["frame"]]
    wire, pins = [at for at, *_ in relay.commands], [one[0] for one in of["pin"]]
    late: dict[str, list[float]] = {"frame": [], "wire": [], "pins": []}
    for number, (place,) in enumerate(sorted(of["placed"])):
        seen = int(np.searchsorted(positions, place))
        shown = bisect_left(counts, number + 1)
        if seen in (0, len(times)) or shown == len(counts):
            continue
        share = (place - positions[seen - 1]) / (positions[seen] - positions[seen - 1])
        # Before the first sample of a reply the clock stood: it cannot have been heard before that was seen to move.
        due = max(times[seen - 1] + share * (times[seen] - times[seen - 1]), times[seen] - 0.05)
        at = of["frame"][shown][0]
        late["frame"].append((at - due) * 1000)
        for name, moments in (("wire", wire), ("pins", pins)):
            reached = bisect_right(moments, at)
            if reached < len(moments):
                late[name].append((moments[reached] - due) * 1000)
    print(f"{cues} cues, {len(late['frame'])} placed and seen; load {os.getloadavg()[0]:.1f}")
    for name, took in late.items():
        row = ", ".join(f"p{share} {np.percentile(took, share):.1f}" for share in (50, 95, 99))
        print(f"cue's sample -> {name}, ms: {row}, longest {max(took):.1f}, n {len(took)}")
    mouths = [(at, values[MOUTH] / 1000) for at, _, values in relay.commands if MOUTH in values]
    lips = [(at, value) for at, name, value in of["pin"] if name == "GPIO20"]
    for name, moved in (("wire", mouths), ("pin", lips)):
        mouth_against_loudness(name, moved, times, positions, of["loud"])


def mouth_against_loudness(
    name: str,
    moved: list[tuple[float, float]],
    times: npt.NDArray[np.float64],
    positions: npt.NDArray[np.float64],
    chunks: list[list[Any]],
) -> None:
    """Correlation at the best lag, over the time in which there was speech."""
    at, value = np.array([one[0] for one in moved]), np.array([one[1] for one in moved])
    places = np.concatenate(
        [start + (np.arange(len(levels)) + 0.5) * rate * MOUTH_STEP for start, rate, levels in chunks]
    )
    loud = np.concatenate([np.array(levels) for *_, levels in chunks])
    grid = np.arange(times[0], times[-1], 0.005)
    position = np.interp(grid, times, positions)
    moving = np.interp(grid + 0.1, times, positions) > np.interp(grid - 0.1, times, positions) + 1
    heard = np.interp(position, places, loud)
    found = []
    for lag in np.arange(-0.05, 0.2, 0.005):
        shown = value[np.clip(np.searchsorted(at, grid + lag, "right") - 1, 0, None)]
        found.append((float(np.corrcoef(heard[moving], shown[moving])[0, 1]), float(lag)))
    best, at_none = max(found), found[10][0]
    print(f"mouth ({name}) against loudness: {best[0]:.3f} at a lag of {best[1] * 1000:.0f} ms, {at_none:.3f} at none")


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), sys.argv[3:])
        return
    if sys.argv[1:2] == ["--pins"]:
        own_pins(Path(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=200)
    parser.add_argument("--idle", action="store_true", help="without the process that burns a core")
    options = parser.parse_args()
    burner = None if options.idle else subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with tempfile.TemporaryDirectory(prefix="companion-cues-") as folder, VirtualCard() as card, qemu() as device:
            relay = Recorded(device)
            report(talk(card, Path(folder), relay, options.cues), relay, options.cues)
    finally:
        if burner is not None:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    main()
