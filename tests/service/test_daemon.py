"""The running daemon on a (virtual) sound card: what an owner sees and does while it runs; about 8 s of real time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.running_daemon import PATIENCE_S, Running
from tests.support.virtual_sound import VirtualSound, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("sound"), tmp_path_factory.mktemp("unit")) as daemon:
        yield daemon


@contextmanager
def started(sound_folder: Path, folder: Path, *settings: str) -> Iterator[Running]:
    sound = VirtualSound(sound_folder)
    sound.start()
    daemon = Running(sound, folder, *settings)
    try:
        daemon.until("state", state="idle")
        yield daemon
    finally:
        daemon.kill()
        sound.stop()


def test_the_status_command_prints_the_status(running: Running) -> None:
    status = running.status()
    assert status["state"] == "idle"
    assert status["persona"] == "Momo"
    assert status["engines"]["voice"] == "espeak"
    assert status["links"]["body"] == status["links"]["wake word"] == "well"
    assert status["memory_mib"] > 20
    assert status["problems"] == []
    assert "Momo" in running.command("status").stdout


def test_it_says_what_its_owner_wants_said(running: Running) -> None:
    assert running.command("control", "say", "Dinner is ready.").returncode == 0
    assert running.until("heard")["text"] == "Dinner is ready."
    status = running.status()
    assert status["turns"] == 1
    assert status["last_turn"]["reason"] == "finished"
    assert "Dinner" not in json.dumps(status)


def test_another_persona_takes_over_and_a_bad_one_is_refused(running: Running) -> None:
    assert running.command("control", "persona", "go_prodigy").returncode == 0
    running.command("control", "say", "Now I am somebody else.")
    running.until("heard")
    assert running.status()["persona"] != "Momo"
    assert "Otto comes" in running.command("control", "persona", "otto").stdout
    running.command("control", "say", "And now a driver.")
    running.until("heard", text="And now a driver.")
    bad = running.folder / "personas" / "bad.toml"
    bad.write_text('name = "Bad"\nvoice = 1\n')
    refused = running.command("control", "persona", "bad")
    assert refused.returncode == 78
    assert "voice" in refused.stderr
    assert "profile" in refused.stderr
    assert running.status()["persona"] != "Bad"
    assert "there is no persona called nobody" in running.command("control", "persona", "nobody").stderr


def test_a_persona_that_its_policy_does_not_allow_is_refused_and_the_old_one_goes_on(running: Running) -> None:
    assert running.command("control", "persona", "teddy").returncode == 0
    running.command("control", "say", "Here I am.")
    running.until("heard", text="Here I am.")
    teddy = (running.folder / "personas" / "teddy.toml").read_text("utf-8")
    mia = teddy.replace('name = "Momo"', 'name = "Mia"').replace(
        'details = "', "details = \"You are Ana's girlfriend. "
    )
    (running.folder / "personas" / "mia.toml").write_text(mia, "utf-8")
    assert "Mia comes" in running.command("control", "persona", "mia").stdout
    # Another one can be asked for once this one was refused.
    while running.command("control", "persona", "otto").returncode:
        assert running.process.poll() is None
    running.command("control", "say", "Still well.")
    running.until("heard", text="Still well.")
    assert running.status()["persona"] == "Otto"


def test_sighup_reads_the_file_anew(running: Running) -> None:
    assert running.command("control", "persona", "teddy").returncode == 0
    teddy = running.folder / "personas" / "teddy.toml"
    running.command("control", "say", "One.")
    running.until("heard", text="One.")
    teddy.write_text(teddy.read_text("utf-8").replace('name = "Momo"', 'name = "Bruno"'), "utf-8")
    running.process.send_signal(signal.SIGHUP)
    # What is asked for next is said by whoever has taken over by then; the second one at the latest is the new one.
    for word in ("Two.", "Three."):
        running.command("control", "say", word)
        running.until("heard", text=word)
    assert running.status()["persona"] == "Bruno"


def test_whoever_looks_into_the_memory_after_a_change_of_persona_leaves_it_whole(running: Running) -> None:
    assert running.command("memory", "list", "--device", str(running.folder / "devices" / "desk.toml")).returncode == 0
    files = [os.readlink(one) for one in Path(f"/proc/{running.process.pid}/fd").iterdir()]
    memory = running.folder / "state" / "companion" / "companion.db"
    assert sorted(one for one in files if "companion.db" in one) == [f"{memory}", f"{memory}-shm", f"{memory}-wal"]
    assert running.status()["problems"] == []


def test_muted_it_neither_hears_nor_speaks_until_it_is_unmuted(running: Running) -> None:
    running.command("control", "mute")
    running.until("state", state="muted")
    assert running.status()["muted"] is True
    refused = running.command("control", "say", "Psst.")
    assert refused.returncode == 1
    assert "muted" in refused.stderr
    running.command("control", "unmute")
    running.until("state", state="idle")


def test_a_mute_outlives_a_crash_and_an_unmute_does_too(running: Running) -> None:
    running.command("control", "mute")
    running.kill()
    running.start()
    running.until("state", state="muted")
    assert running.status()["muted"] is True
    assert running.command("control", "say", "Psst.").returncode == 1
    running.command("control", "unmute")
    running.kill()
    running.start()
    running.until("state", state="idle")
    assert running.status()["muted"] is False


def test_a_mute_by_signal_is_kept_as_well(running: Running) -> None:
    running.process.send_signal(signal.SIGUSR2)
    running.until("state", state="muted")
    # Answered behind it by the thread that writes.
    running.command("control", "mute")
    running.kill()
    running.start()
    running.until("state", state="muted")
    running.process.send_signal(signal.SIGUSR2)
    running.until("state", state="idle")


def test_the_button_wakes_it_and_silence_sends_it_to_rest(running: Running) -> None:
    assert running.command("control", "volume", "40").returncode == 0
    running.command("control", "wake")
    running.until("wake", word="button")
    running.until("state", state="listening")
    running.until("state", state="idle")


def test_it_stops_when_it_is_asked_to(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    _, told = running.process.communicate(timeout=PATIENCE_S)
    assert running.process.returncode == 0, told
    assert "Traceback" not in told


def test_the_status_tells_that_the_memory_cannot_be_written(tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    (unit / "state" / "companion").mkdir(parents=True)
    (unit / "state" / "companion" / "companion.db").symlink_to(tmp_path / "elsewhere")
    with started(tmp_path, unit) as daemon:
        (problem,) = daemon.status()["problems"]
        assert "companion.db is a symbolic link" in problem
        told = daemon.command("status")
        assert told.returncode == 1
        assert problem in told.stdout
    assert not (tmp_path / "elsewhere").exists()


def test_a_recording_for_a_diagnosis_is_told_shown_and_made(tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    recordings = unit / "state" / "companion" / "recordings"
    with started(tmp_path, unit, "ears.record=until 2099-12-31") as daemon:
        place = f"until 2099-12-31 (ears.record), into {recordings}"
        assert daemon.status()["recording"] == place
        told = daemon.command("status")
        assert told.returncode == 0
        assert f"  {place}\n" in told.stdout
        shown = [daemon.until("body")["lights"] for _ in range(10)]
        assert len({str(lights) for lights in shown}) > 5
        daemon.command("control", "wake")
        daemon.until("state", state="listening")
        daemon.until("state", state="idle")
        assert [one.name.endswith("-wake.wav") for one in recordings.iterdir()] == [True]
        # Without the key nothing may stay.
        daemon.kill()
        daemon.settings = ()
        daemon.start()
        daemon.until("state", state="idle")
        assert daemon.status()["recording"] == ""
        assert not recordings.exists()


def test_a_wake_word_that_cannot_be_heard_any_more_is_told(tmp_path: Path) -> None:
    failing = "ears.wake.engine=tests.support.failing_wake_word:build_once"
    with started(tmp_path / "sound", tmp_path / "unit", failing) as daemon:
        told = daemon.until("error", code="engine")["sentence"]
        assert "failed ([Errno 5] Input/output error)" in told
        link = daemon.status()["links"]["wake word"]
        assert "okay_nabu cannot be heard" in link
        assert "wake word link" in daemon.command("status").stdout
        assert daemon.process.poll() is None
