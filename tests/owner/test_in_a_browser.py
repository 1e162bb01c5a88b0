"""The owner's page in a real Chromium, as a parent uses it: QR code, keyboard, no script, every language."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from companion.languages.loader import language_codes
from companion.languages.owner import owner_texts
from tests.support.chromium import DESKTOP, PHONE, Chromium, why_not
from tests.support.owner_unit import PIN, Scene, open_page

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

PARTS = ("", "time", "memory", "person?persona=Teddy&person=Ana", "protection", "character", "health", "access",
         "reset", "forget?persona=Teddy&person=Ana")  # fmt: skip

FAULTS = """(() => {
  const faults = [], seen = getComputedStyle(document.body);
  const lum = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const paper = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(c)) return c; } return seen.backgroundColor; };
  if (!document.documentElement.lang) faults.push('no language');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) faults.push('an id is there twice');
  for (const e of document.querySelectorAll('input:not([type=hidden]), textarea'))
    if (!e.labels.length) faults.push('no label: ' + e.name);
  for (const e of document.querySelectorAll('button, a, summary')) {
    if (!(e.getAttribute('aria-label') || e.textContent).trim()) faults.push('no name: ' + e.outerHTML);
    const box = e.getBoundingClientRect();
    if (e.matches('button, nav a, .button, summary') && box.height && box.height < 44)
      faults.push('too low: ' + e.outerHTML.slice(0, 80));
  }
  const words = 'p, a, button, label, small, dt, dd, th, td, strong, span, summary, h1, h2';
  for (const e of document.querySelectorAll(words)) {
    if (!e.textContent.trim() || e.classList.contains('unseen') || e.closest('.skip') || e.ariaHidden) continue;
    const [a, b] = [lum(getComputedStyle(e).color), lum(paper(e))].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(1) + ': ' + e.textContent);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the screen');
  return faults; })()"""


async def scene(folder: Path, work: Callable[[Scene], Any]) -> Any:
    async with open_page(folder) as opened:
        return await asyncio.to_thread(work, opened)


def signed_in(browser: Chromium, page: Scene) -> None:
    """By the QR code, as its link is opened by a camera; then the PIN."""
    door = """document.querySelector('form[action="/pin"], form[action="/sign-in"]') !== null"""
    browser.follow(f"{page.opened.address}#{page.access.new_code().token}", door)
    assert "#" not in browser.run("location.href")
    if page.access.has_pin:
        browser.send_form("/sign-in", pin=PIN)
    else:
        browser.send_form("/pin", pin=PIN, again=PIN)


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (PHONE, True), (DESKTOP, False)])
async def test_every_part_can_be_read_and_used(tmp_path: Path, size: tuple[Any, ...], dark: bool) -> None:
    def work(page: Scene) -> dict[str, list[str]]:
        with Chromium(tmp_path / "browser", size, dark=dark) as browser:
            found = {}
            browser.go(page.opened.address)
            found["pairing"] = browser.run(FAULTS)
            signed_in(browser, page)
            for part in PARTS:
                browser.go(page.opened.address + part)
                found[part] = browser.run(FAULTS)
            return found

    found = await scene(tmp_path, work)
    assert {part: faults for part, faults in found.items() if faults} == {}


async def test_a_parent_uses_it(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        with Chromium(tmp_path / "browser") as browser:
            signed_in(browser, page)
            browser.send_form("/mute")
            assert browser.run("document.querySelector('[role=status]').textContent") == "Its ears are shut."
            assert browser.run("location.search") == ""
            browser.send_form("/volume", percent="35")
            browser.go(f"{page.opened.address}person?persona=Teddy&person=Ana")
            browser.send_form("/correct", text="Ana likes whales.")
            browser.go(f"{page.opened.address}forget?persona=Teddy&person=Ana")
            browser.send_form("/forget", pin="not-this-1")
            assert "not the PIN" in browser.run("document.querySelector('[role=alert]').textContent")
            browser.send_form("/forget", pin=PIN)
            assert "Nothing is remembered yet" in browser.run("document.body.textContent")

    async def both(page: Scene) -> None:
        await asyncio.to_thread(work, page)
        assert page.unit.asked == [
            ("mute",), ("volume", 35), ("correct", "Teddy", 1, "Ana likes whales."), ("forget", "Teddy", "Ana")
        ]  # fmt: skip

    async with open_page(tmp_path) as opened:
        await both(opened)


async def test_the_keyboard_reaches_everything_in_order_and_the_first_key_skips_the_menu(tmp_path: Path) -> None:
    def work(page: Scene) -> list[str]:
        with Chromium(tmp_path / "browser", DESKTOP) as browser:
            signed_in(browser, page)
            browser.go(page.opened.address)
            reached = []
            for _ in range(13):
                browser.key("Tab")
                reached.append(browser.run("document.activeElement.textContent || document.activeElement.name"))
            browser.go(page.opened.address)
            browser.key("Tab")
            browser.key("Enter")
            assert browser.run("document.activeElement.id") == "content"
            return reached

    reached = await scene(tmp_path, work)
    assert reached[:2] == ["Skip to the content", "Sign out"]
    assert reached[2] == "Overview"
    assert reached[9:13] == ["Shut its ears", "Stop talking", "percent", "Set the volume"]


async def test_without_script_all_of_it_works(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        with Chromium(tmp_path / "browser") as browser:
            browser.go(page.opened.address)
            browser.call("Emulation.setScriptExecutionDisabled", value=True)
            code = page.access.new_code().digits
            browser.send_form("/pair", code=code)
            browser.send_form("/pin", pin=PIN, again=PIN)
            browser.send_form("/mute")
            assert "Its ears are shut." in browser.run("document.body.textContent")

    await scene(tmp_path, work)


async def test_nothing_that_was_said_becomes_a_part_of_the_page(tmp_path: Path) -> None:
    nasty = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>'\"&{token}"

    def work(page: Scene) -> None:
        page.unit.spoil(nasty)
        with Chromium(tmp_path / "browser") as browser:
            signed_in(browser, page)
            for part in ("", "memory", "protection", "character", "health", "access"):
                browser.go(page.opened.address + part)
                assert "stolen" not in browser.run("document.title")
                assert browser.run("document.querySelectorAll('main img, main script').length") == 0
            browser.go(f"{page.opened.address}memory")
            assert browser.run("document.querySelector('.entries a').textContent") == nasty
            browser.run("document.querySelector('.entries a').click()", loads=True)
            assert browser.run("document.querySelector('h1').textContent") == nasty
            assert browser.run("document.querySelectorAll('main img, main script').length") == 0

    await scene(tmp_path, work)


@pytest.mark.parametrize("code", [one for one in language_codes() if owner_texts(one) is not None])
async def test_each_language_fits_on_a_telephone(tmp_path: Path, code: str) -> None:
    def work(page: Scene) -> dict[str, list[str]]:
        with Chromium(tmp_path / "browser") as browser:
            browser.call("Emulation.setUserAgentOverride", userAgent="Mozilla/5.0", acceptLanguage=f"{code}-XX,{code}")
            signed_in(browser, page)
            found = {}
            for part in PARTS:
                browser.go(page.opened.address + part)
                assert browser.run("document.documentElement.lang") == code
                found[part] = browser.run(FAULTS)
            return found

    found = await scene(tmp_path, work)
    assert {part: faults for part, faults in found.items() if faults} == {}
