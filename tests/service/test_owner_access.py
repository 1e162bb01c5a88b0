"""The owner's page of the running daemon: opened by command and by button, and what is done on it really happens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.owner_unit import PIN, Browser
from tests.support.running_daemon import PATIENCE_S, Running
from tests.support.virtual_sound import VirtualSound, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    sound = VirtualSound(tmp_path_factory.mktemp("sound"))
    sound.start()
    daemon = Running(sound, tmp_path_factory.mktemp("unit"), "owner.port=18443", "policy=child-eu")
    try:
        daemon.until("state", state="idle")
        yield daemon
    finally:
        daemon.kill()
        sound.stop()


def opened(running: Running) -> tuple[Browser, dict[str, str]]:
    """A browser, and what `companion owner open` told."""
    done = running.command("owner", "open", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    place = urlsplit(told["address"])
    return Browser(place.port or 0, host=place.netloc, address=place.hostname or ""), told


def test_until_it_is_opened_nothing_of_it_is_there(running: Running) -> None:
    assert "closed" in running.command("owner", "status").stdout
    with pytest.raises(OSError, match="refused"):
        Browser(18443).get("/")


def test_what_is_closed_is_not_even_loaded() -> None:
    code = "import sys, companion.service.daemon; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "companion.service.owner_access" in loaded
    assert not {"uvicorn", "companion.owner", "companion.languages.owner", "companion.service.owner_controls"} & loaded


def test_a_parent_opens_it_signs_in_and_changes_what_they_see(running: Running) -> None:
    browser, told = opened(running)
    assert told["link"].startswith(f"{told['address']}#")
    shown = running.command("owner", "open").stdout
    assert "█" in shown
    digits = shown.partition("type the code:")[2].splitlines()[0]
    browser.follow(browser.post("/pair", code=digits))
    home = browser.follow(browser.post("/pin", pin=PIN, again=PIN)).text
    assert "Momo" in home
    assert browser.post("/volume", percent=35).status == 303
    assert 'value="35"' in browser.get("/").text
    assert browser.follow(browser.post("/mute")).text.count("Its ears are shut.") == 2
    assert running.status()["muted"]
    browser.post("/unmute")
    assert not running.status()["muted"]
    assert browser.post("/limits", minutes_a_day=45, bedtime_from="20:30", bedtime_until="07:00").status == 303
    assert "20:30-07:00" in browser.get("/time").text
    assert "otto" in browser.get("/character").text.lower()
    assert "Not given yet" in browser.get("/protection").text
    assert browser.post("/consent", given="yes", by="Mum").status == 303
    assert "Mum" in running.command("owner", "status").stdout
    assert "A telephone was connected" in browser.get("/health").text
    kept = (running.folder / "state" / "companion" / "owner-settings.toml").read_text()
    assert "minutes_a_day = 45" in kept
    assert "volume = 0.35" in kept


def test_reset_pin_puts_everybody_out_and_close_closes_it(running: Running) -> None:
    browser, _ = opened(running)
    assert running.command("owner", "reset-pin", "--yes").returncode == 0
    with pytest.raises(OSError, match="refused"):
        browser.get("/")
    again, _ = opened(running)
    again.cookies = browser.cookies
    assert "Connect this telephone" in again.get("/").text
    assert "closed" in running.command("owner", "close").stdout
    with pytest.raises(OSError, match="refused"):
        again.get("/")
    assert "PIN" in running.command("owner", "status").stdout


def test_the_factory_reset_asks_for_the_pin_and_ends_the_unit(running: Running) -> None:
    browser, told = opened(running)
    browser.follow(browser.post("/pair", code=told["digits"]))
    browser.post("/pin", pin=PIN, again=PIN)
    state = running.folder / "state" / "companion"
    assert browser.post("/reset", pin="not-this-1").status == 400
    assert not (state / "factory-reset").exists()
    assert "Everything was erased" in browser.post("/reset", pin=PIN).text
    assert running.process.wait(PATIENCE_S) != 0
    assert (state / "factory-reset").exists()
