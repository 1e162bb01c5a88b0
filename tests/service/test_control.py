"""The control socket: its requests, its limits, and who may use it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from companion.cli import control as status_command
from companion.errors import CompanionError, ConfigError, DeviceError
from companion.service import control
from companion.service.control import send_request
from companion.service.control_protocol import (
    LONGEST_ANSWER,
    LONGEST_REQUEST,
    LONGEST_TEXT,
    Answer,
    BadRequest,
    GetStatus,
    PressButton,
    ReloadPersona,
    Request,
    Say,
    SetVolume,
    answer_line,
    parse_answer,
    parse_request,
    request_line,
)
from tests.support.paths import CONFIGS, DATA, ROOT


class ScriptedDaemon:
    """Keeps what it was asked; refuses what a test names."""

    def __init__(self, refusal: CompanionError | None = None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal = refusal

    async def press(self, button: str) -> None:
        self._take(button)

    def set_volume(self, volume: float) -> None:
        self._take("volume", volume)

    def say(self, text: str) -> None:
        self._take("say", text)

    def reload(self, persona: str | None) -> str:
        self._take("reload", persona)
        return "Robin speaks from the next answer on."

    def status(self) -> dict[str, Any]:
        return {"state": "idle"}

    def _take(self, *asked: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(asked)


@asynccontextmanager
async def running(path: Path, refusal: CompanionError | None = None) -> AsyncIterator[ScriptedDaemon]:
    daemon = ScriptedDaemon(refusal)
    async with await control.serve(daemon, path):
        yield daemon


async def raw(path: Path, sent: bytes, *, end: bool = True) -> bytes:
    """Everything that the daemon answers to these bytes."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(sent)
    if end:
        writer.write_eof()
    said = b""
    try:
        said = await reader.read()
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return said


async def test_every_request_reaches_the_daemon(tmp_path: Path) -> None:
    requests: list[Request] = [
        PressButton("wake"), PressButton("mute"), PressButton("unmute"), PressButton("stop"),
        SetVolume(40), Say("Good morning, Zoë!"), ReloadPersona("robin"), ReloadPersona(),
    ]  # fmt: skip
    async with running(tmp_path / "s") as daemon:
        answers = [await asyncio.to_thread(send_request, request, tmp_path / "s") for request in requests]
    assert daemon.asked == [
        ("wake",), ("mute",), ("unmute",), ("stop",),
        ("volume", 0.4), ("say", "Good morning, Zoë!"), ("reload", "robin"), ("reload", None),
    ]  # fmt: skip
    assert [answer.sentence for answer in answers] == ["ok"] * 6 + ["Robin speaks from the next answer on."] * 2


async def test_the_status_comes_as_one_json_line(tmp_path: Path) -> None:
    async with running(tmp_path / "s"):
        said = await raw(tmp_path / "s", b"status\n")
        assert (await asyncio.to_thread(send_request, GetStatus(), tmp_path / "s")).status == {"state": "idle"}
    assert said.count(b"\n") == 1
    assert json.loads(said) == {"ok": True, "sentence": "ok", "status": {"state": "idle"}}


async def test_a_bad_persona_is_refused_with_every_problem(tmp_path: Path) -> None:
    refusal = ConfigError(["robin.toml: name: is missing", "robin.toml: lines.failed: is missing"])
    async with running(tmp_path / "s", refusal):
        with pytest.raises(ConfigError) as refused:
            await asyncio.to_thread(send_request, ReloadPersona("robin"), tmp_path / "s")
    assert refused.value.problems == refusal.problems


async def test_a_refused_request_is_answered_with_a_sentence(tmp_path: Path) -> None:
    async with running(tmp_path / "s", CompanionError("The device is muted; unmute it first.")):
        with pytest.raises(CompanionError, match="unmute it first"):
            await asyncio.to_thread(send_request, Say("hello"), tmp_path / "s")


HOSTILE = [
    b"", b"\n", b" \n", b"\r\n", b"\0\n", b"wake\0\n", b"wake now\n", b"WAKE\n", b"explode\n", b"wake\twake\n",
    b"mute;unmute\n", b"mute\x1b[31m\n", b"volume\n", b"volume x\n", b"volume -1\n", b"volume 101\n", b"volume 1e2\n",
    b"volume 40 41\n", b"volume 0x10\n", "volume ４０\n".encode(), b"volume 99999999999999999999\n", b"volume nan\n",
    b"say\n", b"say  \n", b"say \x07\n", b"say a\x85b\n", "say a\u2028b\n".encode(), b"say \xff\xfe\n",
    b"say " + b"a" * (LONGEST_TEXT + 1) + b"\n", b"persona\n", b"persona ../../etc/shadow\n", b"persona /etc/passwd\n",
    b"persona .\n", b"persona ..\n", b"persona a b\n", b"persona " + b"a" * 99 + b"\n", b"reload now\n",
    b"status please\n", b'{"action": "wake"}\n', b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"a" * LONGEST_REQUEST + b"\n",
    b"a" * 1_000_000, b"\xff" * 5000 + b"\n", b"say " + b"\xf0\x9f" * 20 + b"\n",
]  # fmt: skip


async def test_forty_hostile_inputs_are_refused_with_a_sentence_and_change_nothing(tmp_path: Path) -> None:
    assert len(HOSTILE) > 40
    async with running(tmp_path / "s") as daemon:
        for sent in HOSTILE:
            said = await raw(tmp_path / "s", sent)
            answer = parse_answer(said) if said else None
            assert answer is None or (not answer.ok and answer.code == "request"), sent
            assert answer is not None or len(sent) > LONGEST_REQUEST, sent
        assert daemon.asked == []
        await asyncio.to_thread(send_request, PressButton("wake"), tmp_path / "s")
    assert daemon.asked == [("wake",)]


async def test_only_the_first_line_counts(tmp_path: Path) -> None:
    async with running(tmp_path / "s") as daemon:
        await raw(tmp_path / "s", b"mute\nunmute\nsay hello\n")
    assert daemon.asked == [("mute",)]


async def test_a_client_that_never_finishes_its_line_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.02)
    async with running(tmp_path / "s") as daemon:
        assert await raw(tmp_path / "s", b"mut", end=False) == b""
    assert daemon.asked == []


async def test_too_many_clients_are_asked_to_come_back(tmp_path: Path) -> None:
    async with running(tmp_path / "s") as daemon:
        waiting = [await asyncio.open_unix_connection(tmp_path / "s") for _ in range(control.MOST_AT_ONCE)]
        said = await raw(tmp_path / "s", b"wake\n")
        assert "Too many requests" in parse_answer(said).sentence
        for reader, writer in waiting:
            writer.write(b"stop\n")
            assert parse_answer(await reader.readline()).ok
            writer.close()
        assert parse_answer(await raw(tmp_path / "s", b"wake\n")).ok
    assert daemon.asked == [("stop",)] * control.MOST_AT_ONCE + [("wake",)]


async def test_the_socket_is_open_to_owner_and_group_only(tmp_path: Path) -> None:
    async with running(tmp_path / "a" / "s"):
        assert stat.S_IMODE((tmp_path / "a" / "s").stat().st_mode) == 0o660
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


STRANGER = """
import os, socket, sys
os.setgroups([int(one) for one in sys.argv[2].split(",") if one])
os.setgid(65533)
os.setuid(65533)
with socket.socket(socket.AF_UNIX) as daemon:
    daemon.connect(sys.argv[1])
    daemon.sendall(b"mute\\n")
    sys.stdout.buffer.write(daemon.recv(4096))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("member", "may"), [(False, False), (True, True)])
async def test_the_kernel_is_asked_who_asks(tmp_path: Path, member: bool, may: bool) -> None:
    """Even where the modes of folder and socket were opened by mistake."""
    async with running(tmp_path / "s") as daemon:
        os.chmod(tmp_path / "s", 0o666)
        for folder in (tmp_path, *tmp_path.parents[:3]):
            os.chmod(folder, folder.stat().st_mode | 0o011)
        group = str((tmp_path / "s").stat().st_gid) if member else ""
        stranger = await asyncio.create_subprocess_exec(
            "/usr/bin/python3", "-c", STRANGER, str(tmp_path / "s"), group, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await stranger.communicate()
    assert parse_answer(said).ok is may
    assert daemon.asked == ([("mute",)] if may else [])


async def test_the_socket_of_a_daemon_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    (await control.serve(ScriptedDaemon(), tmp_path / "s")).close()
    (tmp_path / "s").touch()
    async with running(tmp_path / "s") as daemon:
        await asyncio.to_thread(send_request, PressButton("wake"), tmp_path / "s")
    assert daemon.asked == [("wake",)]


async def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path / "s"):
        with pytest.raises(DeviceError, match="another companion"):
            await control.serve(ScriptedDaemon(), tmp_path / "s")


async def test_a_second_run_ends_with_a_sentence_instead_of_listening_too(tmp_path: Path) -> None:
    async with running(tmp_path / "companion.sock"):
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "companion", "run", "--set", f"ears.transcriber.model={DATA / 'vosk-tiny'}"),
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await second.communicate()
    assert second.returncode == 69
    assert b"another companion is running already" in told
    assert b"Traceback" not in told


def test_without_a_daemon_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="companion run"):
        send_request(PressButton("wake"), tmp_path / "none")


def test_a_daemon_that_says_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.service.control.PATIENCE_S", 0.02)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(DeviceError, match="does not answer"):
            send_request(PressButton("wake"), tmp_path / "s")


def test_the_folder_of_the_service_counts_before_that_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/companion:/run/other")
    assert control.socket_path() == Path("/run/companion/companion.sock")
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    assert control.socket_path() == Path("/run/user/1000/companion.sock")


def test_a_persona_is_found_by_its_name_alone(tmp_path: Path) -> None:
    for name in ("co_driver", "teddy", "duo", "go_prodigy"):
        shutil.copy(CONFIGS / "personas" / f"{name}.toml", tmp_path)
    shutil.copy(CONFIGS / "devices" / "desk.toml", tmp_path)
    (tmp_path / "broken.toml").touch()
    assert control.find_persona(tmp_path, "broken") == tmp_path / "broken.toml", "its problems are told when it is read"
    for name, file in (("co_driver", "co_driver"), ("otto", "co_driver"), ("江让", "go_prodigy")):
        assert control.find_persona(tmp_path, name) == tmp_path / f"{file}.toml"
    there = r"there are: co_driver \(Otto\), duo \(Momo\), go_prodigy \(江让\), teddy \(Momo\)$"
    with pytest.raises(ConfigError, match=f"there is no persona called batman; {there}"):
        control.find_persona(tmp_path, "batman")
    with pytest.raises(ConfigError, match=f"several personas are called momo; {there}"):
        control.find_persona(tmp_path, "momo")


async def test_the_commands_ask_what_they_say(tmp_path: Path) -> None:
    path = ["--socket", str(tmp_path / "s")]
    async with running(tmp_path / "s") as daemon:
        for arguments in (["wake"], ["volume", "15"], ["say", "Hello\n there"], ["persona", "robin"], ["reload"]):
            done = await asyncio.to_thread(CliRunner().invoke, status_command.control, [*arguments, *path])
            assert done.exit_code == 0, done.output
        shown = await asyncio.to_thread(CliRunner().invoke, status_command.status, ["--json", *path])
    assert daemon.asked == [
        ("wake",), ("volume", 0.15), ("say", "Hello there"), ("reload", "robin"), ("reload", None)
    ]  # fmt: skip
    assert json.loads(shown.output) == {"state": "idle"}


@pytest.mark.parametrize("arguments", [["explode"], ["volume", "101"], ["volume", "loud"], ["say"], ["wake", "now"]])
def test_wrong_usage_never_reaches_the_daemon(arguments: list[str]) -> None:
    assert CliRunner().invoke(status_command.control, arguments).exit_code == 2


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=80)
requests = st.one_of(
    st.sampled_from(("wake", "mute", "unmute", "stop")).map(PressButton),
    st.integers(0, 100).map(SetVolume),
    texts.map(str.strip).filter(bool).map(Say),
    st.none().map(ReloadPersona),
    st.from_regex(r"[a-z0-9_][a-z0-9_-]{0,20}", fullmatch=True).map(ReloadPersona),
    st.just(GetStatus()),
)


@given(requests)
def test_a_request_is_understood_as_it_was_meant(request: Request) -> None:
    assert parse_request(request_line(request)) == request


@given(st.binary(max_size=200) | texts.map(str.encode) | st.sampled_from(HOSTILE))
def test_whatever_comes_is_understood_or_refused(line: bytes) -> None:
    try:
        request = parse_request(line)
    except BadRequest:
        return
    assert parse_request(request_line(request)) == request


@given(st.builds(Answer, st.booleans(), texts, st.sampled_from(("", "config")), st.lists(texts).map(tuple)))
def test_an_answer_is_understood_as_it_was_meant(answer: Answer) -> None:
    line = answer_line(answer)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse_answer(line) == answer


@given(st.binary(max_size=200))
def test_whatever_answers_is_understood_or_refused(line: bytes) -> None:
    try:
        answer = parse_answer(line)
    except BadRequest:
        return
    assert parse_answer(answer_line(answer)) == answer


def test_an_endless_answer_is_cut() -> None:
    line = answer_line(Answer(False, "x" * 200_000, "config", ("y" * 200_000,)))
    assert len(line) < LONGEST_ANSWER
    assert parse_answer(line).code == "config"


def test_asking_needs_nothing_but_a_shell(tmp_path: Path) -> None:
    """The commands load no engine and no settings: they are quick on a small board."""
    show = "print(sorted({'numpy', 'pydantic', 'httpx'} & set(sys.modules)))"
    code = f"import sys, companion.service.control; {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
