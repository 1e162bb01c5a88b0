"""Control of a running emulator, and the command `companion emulate`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from companion.cli.emulate import emulate
from companion.emulator import EmulatorServer
from companion.emulator.faults import FAULTS, KINDS
from companion.errors import CompanionError, DeviceError
from tests.support.emulator_requests import MEMORY, MODEL, conversation
from tests.support.paths import ROOT


def test_the_log_says_that_answers_are_emulated(caplog: pytest.LogCaptureFixture) -> None:
    server = EmulatorServer()
    server.start()
    server.stop()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no language model" in caplog.text


def test_a_taken_port_is_reported_in_one_sentence(base_url: str) -> None:
    port = httpx.URL(base_url).port
    assert port
    with pytest.raises(DeviceError, match=f"cannot use port {port}"):
        EmulatorServer(port=port).start()


def chat(client: httpx.Client, said: str = "hi", **headers: str) -> httpx.Response:
    return client.post("chat/completions", json={"model": MODEL, "messages": conversation(said)}, headers=headers)


def test_faults_can_be_planned_while_it_runs(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own
    planned = client.post(f"{server.control_url}/faults", json={"faults": ["http429", "http:InternalError.Algo"]})
    assert planned.json() == {"done": True}
    assert [chat(client).status_code for _ in range(3)] == [429, 500, 200]
    client.post(f"{server.control_url}/faults", json={"faults": ["http503"], "repeat": True})
    assert [chat(client).status_code for _ in range(3)] == [503] * 3
    client.post(f"{server.control_url}/reset")
    assert chat(client).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", b'{"faults": ["earthquake"]}', "earthquake"),
        ("faults", b'{"faults": ["http:Nonsense"]}', "Nonsense"),
        ("faults", b'{"faults": "stall"}', '"NAME"'),
        ("faults", b"[]", "not a JSON object"),
        ("faults", b"\xff", "not JSON"),
        ("clock", b'{"advance_days": -1}', "0 to 36500"),
        ("clock", b'{"advance_days": NaN}', "0 to 36500"),
    ],
)
def test_a_wrong_control_request_is_refused_in_one_sentence(
    own: tuple[EmulatorServer, httpx.Client], path: str, body: bytes, words: str
) -> None:
    server, client = own
    response = client.post(f"{server.control_url}/{path}", content=body)
    assert response.status_code == 400
    assert words in response.json()["problem"]
    assert chat(client).status_code == 200


def test_requests_can_be_read_back_but_never_the_key(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own
    chat(client, "tell me a story")
    chat(client, **{"x-emulator-fault": "http429"})
    client.post("chat/completions", content=b"\xff{")
    shown = client.get(f"{server.control_url}/requests")
    asked = shown.json()["requests"]
    assert [one["status"] for one in asked] == [200, 429, 400]
    assert asked[0]["body"]["messages"][-1]["content"] == "tell me a story"
    assert asked[0]["usage"]["prompt_tokens"] > 0
    assert asked[1]["fault"] == "http429"
    assert "sk-secret" not in shown.text
    client.post(f"{server.control_url}/reset")
    assert client.get(f"{server.control_url}/requests").json() == {"requests": []}


def test_the_clock_can_be_advanced_by_a_year(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own

    def says(said: str) -> str:
        body = {"model": MODEL, "messages": [{"role": "user", "content": said}], "character_options": MEMORY}
        response = client.post("chat/completions", json=body, headers={"x-dashscope-aca-session": "s"})
        return str(response.json()["choices"][0]["message"]["content"])

    says("my dog is called rex")
    client.post(f"{server.control_url}/clock", json={"advance_days": 364})
    assert "rex" in says("what is my dog called")
    client.post(f"{server.control_url}/clock", json={"advance_days": 365})
    assert "rex" not in says("what is my dog called")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_web_page_cannot_read_requests(own: tuple[EmulatorServer, httpx.Client], headers: dict[str, str]) -> None:
    server, client = own
    assert client.get(f"{server.control_url}/requests", headers=headers).status_code == 403
    assert client.post(f"{server.control_url}/reset", headers=headers).status_code == 403


def test_without_control_requests_cannot_be_read() -> None:
    server = EmulatorServer(control=False, first_token_s=0, piece_s=0)
    url = server.start()
    try:
        with httpx.Client(base_url=url) as client:
            assert chat(client).status_code == 200
            assert client.get(f"{server.control_url}/requests").status_code == 404
            assert client.post(f"{server.control_url}/faults", json={"faults": []}).status_code == 404
    finally:
        server.stop()


def run_emulate(*options: str, **environment: str) -> subprocess.Popen[str]:
    code = "from companion.cli.emulate import emulate; emulate(standalone_mode=False)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_stopped(end: signal.Signals) -> None:
    with run_emulate("--port", "0", "--key-env", "MY_KEY", "--first-token-ms", "0", MY_KEY="sk-mine") as process:
        try:
            assert process.stdout
            said = [process.stdout.readline() for _ in range(4)]
            assert "no language model" in said[0]
            url = said[1].split()[-1]
            assert url.startswith("http://127.0.0.1:")
            assert said[2].split()[-1] == url.replace("/compatible-mode/v1", "/api/v1")
            with httpx.Client(base_url=url, headers={"Authorization": "Bearer sk-mine"}, timeout=None) as client:
                assert chat(client).status_code == 200
                # Two requests a second pass. A slow machine cannot make three one after the other in a second.
                with ThreadPoolExecutor(10) as pool:
                    while 429 not in pool.map(lambda _: chat(client).status_code, range(10)):
                        pass
            assert httpx.get(f"{url}/models").status_code == 401
            process.send_signal(end)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "sk-mine" not in log


def test_wrong_use_of_the_command_is_reported_in_one_sentence(base_url: str, tmp_path: Path) -> None:
    port = str(httpx.URL(base_url).port)
    for options, words in (
        (["--port", port], f"cannot use port {port}"),
        (["--key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE: holds no key"),
        (["--scripts", str(tmp_path / "nowhere")], "there is no such folder"),
        (["--scripts", str(tmp_path)], "there is no character"),
    ):
        with pytest.raises(CompanionError, match=re.escape(words)) as caught:
            emulate.main(options, standalone_mode=False)
        assert "\n" not in str(caught.value)


def test_the_page_on_the_emulator_names_every_fault_and_every_option() -> None:
    page = (ROOT / "docs" / "emulator.md").read_text()
    assert [fault for fault in (*FAULTS, *(f"{kind}CODE" for kind in KINDS)) if f"`{fault}`" not in page] == []
    options = [name for option in emulate.params for name in (*option.opts, *option.secondary_opts)]
    assert [option for option in options if option not in page] == []
