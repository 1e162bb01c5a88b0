"""Logging to the journal, with a real datagram socket in the journal's place."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.service import systemd
from companion.service.systemd import JournalHandler, encode_entry, stderr_is_the_journal, syslog_priority


def read(entry: bytes) -> dict[str, str]:
    """What the journal makes of an entry, after the description of its protocol."""
    fields = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[8 + length :]
            assert rest[:1] == b"\n"
            rest = rest[1:]
        fields[name.decode()] = value.decode()
        entry = rest
    return fields


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.settimeout(5)
        yield listening


@pytest.fixture
def log(tmp_path: Path, journal: socket.socket) -> Iterator[logging.Logger]:  # noqa: ARG001 - it must listen first
    handler = JournalHandler(tmp_path / "socket")
    logger = logging.Logger("companion.test")  # one of its own: nothing reaches the root
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_an_entry_has_its_level_and_fields(log: logging.Logger, journal: socket.socket) -> None:
    log.warning("error code=%s", "device", extra={"fields": {"code": "device", "kind": "error"}})
    entry = read(journal.recv(65536))
    assert entry["MESSAGE"] == "error code=device"
    assert entry["PRIORITY"] == "4"
    assert entry["SYSLOG_IDENTIFIER"] == "companion"
    assert entry["LOGGER"] == "companion.test"
    assert entry["CODE_FILE"] == __file__
    assert entry["CODE_FUNC"] == "test_an_entry_has_its_level_and_fields"
    assert entry["COMPANION_CODE"] == "device"
    assert entry["COMPANION_KIND"] == "error"


def test_a_message_cannot_forge_a_field(log: logging.Logger, journal: socket.socket) -> None:
    log.info("%s", "hello\nPRIORITY=0\n_UID=0")
    entry = read(journal.recv(65536))
    assert entry["MESSAGE"] == "hello\nPRIORITY=0\n_UID=0"
    assert entry["PRIORITY"] == "6"
    assert "_UID" not in entry


def test_a_journal_that_is_away_loses_lines_and_the_next_says_how_many(tmp_path: Path) -> None:
    handler = JournalHandler(tmp_path / "later")
    log = logging.Logger("companion.test")
    log.addHandler(handler)
    log.info("one")
    log.info("two")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "later"))
        log.info("three")
        log.info("four")
        first, second = read(journal.recv(65536)), read(journal.recv(65536))
    handler.close()
    assert (first["MESSAGE"], first["COMPANION_LINES_LOST"]) == ("three", "2")
    assert "COMPANION_LINES_LOST" not in second


def test_a_very_long_line_is_cut_and_still_arrives(log: logging.Logger, journal: socket.socket) -> None:
    log.info("x" * 1_000_000)
    assert 1000 < len(read(journal.recv(65536))["MESSAGE"]) < 65536


def test_the_levels_are_those_of_syslog() -> None:
    levels = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, 1)
    assert [syslog_priority(level) for level in levels] == [2, 3, 4, 6, 7, 7]


def test_only_stderr_that_goes_to_the_journal_counts(
    tmp_path: Path, journal: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert journal.fileno() > 2
    monkeypatch.setattr(systemd, "JOURNAL_SOCKET", tmp_path / "socket")
    facts = os.fstat(journal.fileno())
    right = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
    assert stderr_is_the_journal(right, journal.fileno())
    assert not stderr_is_the_journal({"JOURNAL_STREAM": "1:2"}, journal.fileno())
    assert not stderr_is_the_journal({}, journal.fileno())
    monkeypatch.setattr(systemd, "JOURNAL_SOCKET", tmp_path / "none")
    assert not stderr_is_the_journal(right, journal.fileno())


names = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)


@given(st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=50), max_size=5))
def test_every_entry_is_read_as_it_was_meant(fields: dict[str, str]) -> None:
    assert read(encode_entry(fields)) == fields


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_name_that_the_journal_would_refuse_is_left_out(name: str, value: str) -> None:
    assert set(read(encode_entry({name: value, "MESSAGE": "hello"}))) <= {name, "MESSAGE"}
