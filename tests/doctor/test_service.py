"""The station test of the character service (keys, regions, refusals, silence, sign-in pages) and of the daemon."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device
from companion.config.persona import load_persona
from companion.doctor import checks_service
from companion.doctor.check import CheckContext, UnitUnderTest
from companion.doctor.checks_service import check_character, check_daemon, get, model_names
from companion.doctor.report import CheckResult
from companion.emulator import EmulatorServer
from companion.errors import CharacterError, ConfigError
from companion.mind.api import models
from companion.mind.api.key import Key
from tests.support.paths import CONFIGS

TEDDY = load_persona(CONFIGS / "personas" / "teddy.toml")
KEY = "sk-this-is-the-right-one"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DASHSCOPE_API_KEY", "CREDENTIALS_DIRECTORY", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(checks_service, "SERVICE_KEY", tmp_path / "none")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    return KEY


@contextmanager
def emulator(**options: Any) -> Iterator[str]:
    server = EmulatorServer(**options)
    yield server.start()
    server.stop()


def check(**settings: Any) -> CheckResult:
    device = Device.model_validate({"persona": "x.toml", "character": settings})
    unit = UnitUnderTest(device=device, persona=TEDDY, state=Path("/nonexistent"))
    found = asyncio.run(check_character(unit))
    assert KEY not in repr(found)
    return found


@pytest.mark.usefixtures("key")
def test_a_key_that_is_taken_passes_and_is_not_shown() -> None:
    with emulator(required_key=KEY) as url:
        found = check(base_url=url)
    assert found.outcome == "pass", found
    assert "takes the key" in found.text
    assert found.measured["status"] == 200
    assert found.measured["lists_model"] is True


@pytest.mark.usefixtures("key")
def test_a_model_that_the_service_does_not_list_is_mentioned() -> None:
    with emulator(required_key=KEY) as url:
        found = check(base_url=url, model="qwen-nobody")
    assert "does not name qwen-nobody" in found.text


@pytest.mark.usefixtures("key")
def test_a_refused_key_says_what_to_do() -> None:
    with emulator(required_key="sk-another") as url:
        found = check(base_url=url)
    assert found.outcome == "fail"
    assert "does not accept the key" in found.text
    assert found.measured["status"] == 401


@pytest.mark.usefixtures("key")
def test_a_key_of_the_other_region_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    with emulator(required_key="sk-another") as here, emulator(required_key=KEY) as there:
        addresses = {"international": here, "china": there}
        monkeypatch.setattr(models, "base_url", lambda region, _protocol: addresses[region])
        found = check()
        assert found.outcome == "fail"
        assert "region china takes it" in found.text
        assert 'character.region = "china"' in found.advice
        assert check(region="china").outcome == "pass"


def test_without_a_key_nothing_is_asked_and_the_unit_fails() -> None:
    """Fifty units that only practise must not leave the station as ready."""
    assert check(emulator="always").outcome == "skip"
    for emulator in ("auto", "never"):
        found = check(emulator=emulator)
        assert (found.outcome, found.text) == ("fail", "This unit has no key.")
        assert "DASHSCOPE_API_KEY" in found.advice
        assert ('emulator = "always"' in found.advice) == (emulator == "auto")


def test_the_services_own_key_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "dashscope-key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    monkeypatch.setattr(checks_service, "SERVICE_KEY", file)
    with emulator(required_key=KEY) as url:
        assert check(base_url=url).outcome == "pass"
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="open to its owner only"):
        check(base_url="http://127.0.0.1:9/v1")


def test_a_server_of_ones_own_needs_no_key() -> None:
    with emulator() as url:
        found = check(base_url=url, region="china")
    assert found.outcome == "pass"
    assert "answers" in found.text


class Page(BaseHTTPRequestHandler):
    """A network's sign-in page, or a redirect to it."""

    status = 200
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "/sign-in")
        self.end_headers()
        self.wfile.write(b"<html>Welcome! Sign in.</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def page(status: int) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []
    with HTTPServer(("127.0.0.1", 0), type("One", (Page,), {"status": status, "asked": asked})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
        server.shutdown()
        thread.join(5)


@pytest.mark.usefixtures("key")
def test_a_sign_in_page_is_not_the_service() -> None:
    with page(200) as (url, _):
        found = check(base_url=url)
    assert found.outcome == "fail"
    assert "sign-in" in found.advice


@pytest.mark.usefixtures("key")
def test_the_key_does_not_follow_a_redirect() -> None:
    with page(302) as (url, asked):
        found = check(base_url=url)
    assert asked == [("/v1/models", f"Bearer {KEY}")]
    assert found.outcome == "fail"
    assert "sent us elsewhere" in found.text


@pytest.mark.usefixtures("key")
def test_a_service_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_service, "ANSWERS_WITHIN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = check(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert found.outcome == "fail"
    assert "does not answer" in found.text
    assert "Check the network" in found.advice


@pytest.mark.usefixtures("key")
def test_a_service_that_is_not_there_or_breaks_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert "cannot be reached" in check(base_url=f"http://127.0.0.1:{port}/v1").text
    assert "cannot be reached" in check(base_url="https://nobody.invalid/v1").text
    assert "sends the key unencrypted" in check(base_url="http://nobody.invalid/v1").text

    def hang_up(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        peer.recv(100)
        peer.close()

    with socket.create_server(("127.0.0.1", 0)) as rude:
        thread = threading.Thread(target=hang_up, args=(rude,))
        thread.start()
        found = check(base_url=f"http://127.0.0.1:{rude.getsockname()[1]}/v1")
        thread.join(5)
    assert found.outcome == "fail"
    assert "broke" in found.text


def test_an_untrusted_certificate_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer_in_clear() -> None:
            peer, _ = plain.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer_in_clear)
        thread.start()
        with pytest.raises(CharacterError, match=r"certificate|broke"):
            get(f"https://127.0.0.1:{plain.getsockname()[1]}/models", Key(KEY))
        thread.join(5)


KEYS = st.sampled_from(["data", "id", "object"])
VALUES = st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(KEYS, one))


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_list_of_models_or_not(body: bytes) -> None:
    names = model_names(body)
    assert names is None or isinstance(names, tuple)


def test_the_daemon_is_reported_as_it_says_it_is() -> None:
    def told(**context: Any) -> CheckResult:
        return asyncio.run(check_daemon(CheckContext(state=Path("/nonexistent"), **context)))

    assert told().outcome == "skip"
    well = told(daemon={"version": "1.2", "state": "idle", "problems": []})
    assert (well.outcome, "1.2 is running, idle" in well.text) == ("pass", True)
    ill = told(daemon={"version": "1.2", "state": "idle", "problems": ["no sound for 15 s"]})
    assert ill.outcome == "fail"
    assert "no sound for 15 s" in ill.text
    assert told(daemon_error="it does not answer").outcome == "fail"
