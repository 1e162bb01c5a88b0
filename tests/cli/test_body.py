"""`companion body list` and `companion body play`, as a manufacturer uses them."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from companion.cli.body import body
from companion.config.device import load_device
from companion.errors import ConfigError, DeviceError
from companion.events import EMOTIONS, GESTURES, BodyFrame
from tests.support.paths import CONFIGS

TOY = CONFIGS / "devices" / "toy.toml"


def run(*arguments: str, device: Path = TOY) -> Result:
    return CliRunner().invoke(body, [arguments[0], "--device", str(device), *arguments[1:]])


def frames(*arguments: str, device: Path = TOY) -> list[dict[str, Any]]:
    result = run("play", *arguments, "--json", device=device)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_list_names_everything_and_what_this_device_shows_of_it() -> None:
    result = run("list", "--json")
    found = {(one["kind"], one["name"]): one for one in json.loads(result.stdout)}
    assert {name for kind, name in found if kind == "emotion"} == set(EMOTIONS)
    assert {name for kind, name in found if kind == "gesture"} == set(GESTURES)
    assert {"idle", "listening", "offline"} <= {name for kind, name in found if kind == "state"}
    jump = found["gesture", "jump"]
    assert set(jump["shown"]) == {"glow", "tilt", "left_arm", "right_arm"}
    assert jump["missing"] == ["wheels"]


def test_the_list_for_people_marks_what_cannot_be_shown() -> None:
    lines = run("list", device=CONFIGS / "devices" / "car.toml").stdout.splitlines()
    assert any(line.split()[:3] == ["●", "happy", "dash"] for line in lines)
    assert any(line.split()[:2] == ["○", "shake_head"] for line in lines)


@pytest.mark.parametrize("name", [*EMOTIONS[:3], *GESTURES[:3], "thinking", "muted"])
def test_a_cue_is_played_in_frames_that_the_device_allows(name: str) -> None:
    channels = load_device(TOY).body.channels
    seen = frames(name, "--seed", "1")
    assert seen[0]["t"] == 0.0
    assert all(before["t"] <= after["t"] for before, after in pairwise(seen))
    for frame in seen:
        for channel, value in frame["positions"].items():
            assert channels[channel].low <= value <= channels[channel].high
    assert len({json.dumps(frame["lights"]) for frame in seen}) > 1 or name == "shake_head"
    assert all(value == 0.0 for value in seen[-1]["positions"].values()), "it ends at rest"


def test_a_seed_is_played_again_and_intensity_counts() -> None:
    assert frames("wave", "--seed", "4") == frames("wave", "--seed", "4")
    assert frames("wave", "--seed", "4") != frames("wave", "--seed", "5")

    def reach(intensity: str) -> float:
        seen = frames("look_left", "--seed", "4", "--intensity", intensity)
        return max(frame["positions"]["head"] for frame in seen)

    assert reach("0.2") < 0.5 * reach("1")


def test_seconds_say_how_long() -> None:
    assert frames("thinking", "--seconds", "1.5")[-1]["t"] < 3.0
    assert frames("happy", "--seconds", "0.5")[-1]["t"] < 2.0


def test_idle_shows_the_signs_of_life() -> None:
    seen = frames("idle", "--seed", "2", "--seconds", "120")
    assert max(abs(frame["positions"]["head"]) for frame in seen) > 2
    assert frames("idle", "--seed", "2", "--set", "body.idle_life=false")[-1]["t"] < 2.0


def test_an_unknown_cue_is_refused_with_similar_ones() -> None:
    result = run("play", "hapy")
    assert result.exit_code == 2
    assert "there is no hapy; did you mean happy" in result.output
    assert "companion body list" in run("play", "xyzzy").output


def test_a_wrong_choreography_is_reported_with_file_and_key(tmp_path: Path) -> None:
    wrong = tmp_path / "mine.toml"
    wrong.write_text("[gesture.wave]\nspeed = 3\n", encoding="utf-8")
    result = run("play", "wave", "--set", f"body.choreography={wrong}")
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception).startswith(f"{wrong}:2: gesture.wave.speed: there is no such key here; there is ")


class Unplugged:
    async def show(self, frame: BodyFrame) -> None:  # noqa: ARG002 - the port's signature
        raise DeviceError("/dev/ttyACM9: is not there; plug the body in.")

    async def close(self) -> None:
        """Nothing to close."""


def unplugged(device: object, persona: object) -> Unplugged:  # noqa: ARG001 - every factory takes both
    return Unplugged()


def test_a_missing_body_is_reported_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hurried:
        """A clock for tests: an hour is over at once."""

        def __init__(self) -> None:
            self.t = 0.0

        def now(self) -> float:
            return self.t

        async def sleep(self, seconds: float) -> None:
            self.t += seconds
            await asyncio.sleep(0)

    monkeypatch.setattr("companion.sound.card.MonotonicClock", Hurried)
    result = run("play", "wave", "--seconds", "1", "--set", 'body.outputs=["tests.cli.test_body:unplugged"]')
    assert isinstance(result.exception, DeviceError)
    assert str(result.exception) == "/dev/ttyACM9: is not there; plug the body in."


def test_a_reader_that_has_seen_enough_ends_it_without_a_word() -> None:
    """As in `companion body play happy --json | head -1`."""
    command = [
        sys.executable,
        "-m",
        "companion",
        "body",
        "play",
        "happy",
        "--seconds",
        "60",
        "--json",
        "--device",
        str(TOY),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as playing:
        assert playing.stdout is not None
        assert playing.stderr is not None
        assert json.loads(playing.stdout.readline())["t"] == 0
        playing.stdout.close()
        assert playing.stderr.read() == ""
        assert playing.wait(20) in (1, 141)


def test_on_the_page_alone_a_cue_is_played_until_it_is_stopped() -> None:
    page = ["--set", 'body.outputs=["page"]', "--set", "body.page.path=0123456789abcdef"]
    command = [sys.executable, "-m", "companion", "body", "play", "nod", *page]
    # A suite that was started in the background ignores Ctrl-C, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with process:
        assert process.stderr is not None
        told = process.stderr.readline() + process.stderr.readline()
        found = re.search(r"Look at it at (http://127\.0\.0\.1:\d+/0123456789abcdef/) .*Ctrl-C ends", told)
        assert found is not None, told
        with urllib.request.urlopen(found[1], timeout=10) as answer:
            assert answer.status == 200
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        try:
            assert "Traceback" not in process.communicate(timeout=20)[1]
        finally:
            process.kill()
