"""`companion run` under a child's policy on a virtual sound card: consent, minutes of talk, and a mute switch that is
final."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from companion.owner_settings import Consent, change_owner_settings
from tests.support.running_daemon import Running
from tests.support.virtual_sound import VirtualSound, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[VirtualSound]:
    card = VirtualSound(tmp_path / "sound")
    card.start()
    yield card
    card.stop()


def captures(sound: VirtualSound) -> int:
    """How many capture streams are open on the sound server."""
    listed = subprocess.run(
        ["pactl", "list", "short", "source-outputs"], env=sound.environment, capture_output=True, text=True, check=True
    )
    return len(listed.stdout.splitlines())


def test_it_waits_for_consent_and_counts_the_minutes_over_a_restart(sound: VirtualSound, tmp_path: Path) -> None:
    folder = tmp_path / "unit"
    folder.mkdir()
    daemon = Running(sound, folder, "policy=child-eu")
    state = folder / "state" / "companion"
    try:
        daemon.until("state", state="idle")
        assert daemon.status()["refuses"] == "consent"
        daemon.command("control", "wake")
        daemon.until("state", state="speaking")
        assert "grown-up" in daemon.until("heard")["text"]
        daemon.until("state", state="idle")
        change_owner_settings(state, consent=Consent(at=datetime.now(UTC), by="Mum"), bedtime="", minutes_a_day=1)
        daemon.command("control", "wake")
        daemon.until("state", state="listening")
        daemon.until("state", state="idle")
        status = daemon.status()
        assert (status["refuses"], 0 < status["talk_today_s"] < 60) == ("", True)
        daemon.process.terminate()
        daemon.process.wait()
        daemon.kill()
        change_owner_settings(state, minutes_a_day=0)
        daemon.start()
        daemon.until("state", state="idle")
        again = daemon.status()
        assert again["talk_today_s"] >= status["talk_today_s"] - 1
        assert (again["talk_left_s"], again["refuses"]) == (0, "day_over")
    finally:
        daemon.kill()


def test_a_closed_mute_switch_is_final(sound: VirtualSound, tmp_path: Path) -> None:
    """One that cannot be read counts as closed."""
    folder = tmp_path / "unit"
    folder.mkdir()
    others = captures(sound)
    daemon = Running(sound, folder, 'body.outputs=["gpio"]', "body.gpio.mute.pin=17")
    try:
        daemon.until("state", state="muted")
        for action in ("unmute", "wake"):
            assert daemon.command("control", action).returncode != 0
        status = daemon.status()
        assert (status["muted"], status["links"]["microphone"]) == (True, "closed")
        assert captures(sound) == others
    finally:
        daemon.kill()


def test_muted_by_command_no_capture_stream_is_open_until_it_is_unmuted(sound: VirtualSound, tmp_path: Path) -> None:
    folder = tmp_path / "unit"
    folder.mkdir()
    others = captures(sound)
    daemon = Running(sound, folder)
    try:
        daemon.until("state", state="idle")
        daemon.command("control", "wake")
        daemon.until("state", state="listening")
        assert captures(sound) == others + 1
        daemon.command("control", "mute")
        daemon.until("state", state="muted")
        assert daemon.status()["links"]["microphone"] == "closed"
        assert captures(sound) == others
        daemon.command("control", "unmute")
        daemon.until("state", state="idle")
        daemon.command("control", "wake")
        daemon.until("state", state="listening")
        assert daemon.status()["links"]["microphone"] == "well"
        assert captures(sound) == others + 1
    finally:
        daemon.kill()
