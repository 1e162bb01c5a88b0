"""`companion body view`: which body it draws, with which conversation, and where."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from companion import app
from companion.cli.body import view
from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.unit import load_unit
from companion.errors import ConfigError, DeviceError
from tests.support.paths import CONFIGS


@pytest.fixture
def conversations(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    """The devices with which conversations were held, without holding them."""
    held: list[Device] = []

    async def converse(device: Device, _persona: object, heard: Path, *_: object, **options: Any) -> None:
        assert heard.name == "user.wav"
        assert options == {"realtime": True}
        held.append(device)

    monkeypatch.setattr(app, "converse_with_files", converse)
    return held


def test_the_demonstration_goes_round_with_the_page_at_one_address(conversations: list[Device]) -> None:
    done = CliRunner().invoke(view, ["--rounds", "3"])
    assert done.exit_code == 0, done.output
    found = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]{16,})/", done.output)
    assert found is not None
    pages = [device.body.page for device in conversations]
    assert [(str(page.port), page.path) for page in pages] == [found.groups()] * 3
    assert {device.body.outputs for device in conversations} == {("page",)}


def test_another_body_is_drawn_with_the_same_conversation(conversations: list[Device]) -> None:
    robot = CONFIGS / "devices" / "robot.toml"
    done = CliRunner().invoke(view, ["--rounds", "1", "--open", "--port", "8123", "--device", str(robot)])
    assert "robot" in done.output
    (device,) = conversations
    assert "wheels" in device.body.channels
    assert device.name == "demo"
    assert (device.body.page.port, device.body.page.open) == (8123, True)


def test_the_page_has_the_name_of_whose_body_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    async def converse(_device: Device, persona: Persona, *_: object, **_options: Any) -> None:
        names.append(persona.name)

    monkeypatch.setattr(app, "converse_with_files", converse)
    robot = CONFIGS / "devices" / "robot.toml"
    assert CliRunner().invoke(view, ["--rounds", "1", "--device", str(robot)]).exit_code == 0
    assert names == [load_unit(robot)[1].name]
    assert names != ["Momo"]


def test_a_missing_device_file_is_reported_as_everywhere(tmp_path: Path) -> None:
    done = CliRunner().invoke(view, ["--device", str(tmp_path / "none.toml")])
    assert isinstance(done.exception, ConfigError)


def test_a_taken_port_is_reported_before_anything_is_shown(conversations: list[Device]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = CliRunner().invoke(view, ["--rounds", "1", "--port", str(port)])
    assert isinstance(done.exception, DeviceError)
    assert f"port {port}" in str(done.exception)
    assert "Name another" in str(done.exception)
    assert conversations == []
