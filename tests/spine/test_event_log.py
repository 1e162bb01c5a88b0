"""The events file and the log: what happened, and what may not stand there."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from typing import get_args

import pytest

from companion.errors import DeviceError
from companion.event_log import EventLog, Kind
from tests.support.paths import ROOT

DOCS = ROOT / "docs" / "events.md"


class Noon:
    def now(self) -> float:
        return 12.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps here for {seconds}")


def test_events_are_json_lines_with_time_and_kind(tmp_path: Path) -> None:
    event_log = EventLog(Noon(), tmp_path / "e.jsonl")
    event_log.record("utterance", text="我在看书", confidence=0.5)
    # Nothing is buffered: a power cut loses at most the line being written.
    [line] = (tmp_path / "e.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"t": 12.0, "kind": "utterance", "text": "我在看书", "confidence": 0.5}
    event_log.close()


@pytest.mark.parametrize("allowed", [True, False])
def test_speech_stands_in_the_log_only_when_allowed(caplog: pytest.LogCaptureFixture, allowed: bool) -> None:
    caplog.set_level(logging.DEBUG, "companion")
    EventLog(Noon(), log_transcripts=allowed).record("heard", text="my secret", reason="finished")
    assert ("my secret" in caplog.text) is allowed
    assert "finished" in caplog.text


def test_speech_that_may_stand_in_the_log_stands_there_without_private_details(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, "companion")
    event_log = EventLog(Noon(), tmp_path / "e.jsonl", log_transcripts=True)
    event_log.clean = lambda said: said.replace("oak street", "(an address)")
    event_log.record("utterance", text="i live in oak street", confidence=0.5)
    event_log.close()
    assert "i live in (an address)" in caplog.text
    assert "oak street" not in caplog.text
    # The events file is written where the owner asks for the words.
    assert "oak street" in (tmp_path / "e.jsonl").read_text(encoding="utf-8")


def test_a_full_disk_costs_the_events_and_not_the_talk(caplog: pytest.LogCaptureFixture) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    event_log = EventLog(Noon(), Path("/dev/full"))
    event_log.record("wake", word="okay_nabu")
    event_log.record("wake", word="okay_nabu")
    event_log.close()
    assert caplog.text.count("events are no longer written") == 1


@pytest.mark.parametrize("there_already", [False, True])
def test_only_its_owner_may_read_what_was_said(tmp_path: Path, there_already: bool) -> None:
    path = tmp_path / "e.jsonl"
    if there_already:
        path.touch(0o644)
    before = os.umask(0o022)
    try:
        EventLog(Noon(), path).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        EventLog(Noon(), tmp_path / "no" / "such" / "folder")


def test_every_kind_is_documented() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(get_args(Kind)) <= set(documented)
