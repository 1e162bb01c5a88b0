"""How the station test runs and reports: time limits, dependencies, the page, the JSON, the card, the operator."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Awaitable, Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.doctor.check import Check, TerminalOperator, run_checks, run_in_thread
from companion.doctor.report import (
    CheckResult,
    CompletedCheck,
    Report,
    UnitInfo,
    failed,
    format_check,
    format_heading,
    format_verdict,
    passed,
    skipped,
    unit_card,
)
from companion.errors import DeviceError

NUMBER = "7K4M-2QXD-9RTF-47"
UNIT = UnitInfo(NUMBER, "toy", "Momo", "1.2.3", "2026-11-03T10:12+01:00")
OUTCOMES = {"pass": passed("fine"), "fail": failed("broken", "mend it"), "skip": skipped("not here")}


def check(name: str, run: Callable[[], Awaitable[CheckResult]], limit_s: float = 5.0, *needs: str) -> Check:
    return Check(name, run, "call for help", limit_s, needs)


def found(result: CheckResult) -> Callable[[], Awaitable[CheckResult]]:
    async def run() -> CheckResult:
        return result

    return run


def report(*outcomes: str, partial: bool = False) -> Report:
    results = [CompletedCheck(f"check_{number}", OUTCOMES[one], 0.1) for number, one in enumerate(outcomes)]
    return Report(UNIT, tuple(results), partial)


async def results(*checks: Check, longest_s: float = 60.0) -> dict[str, CompletedCheck]:
    return {done.name: done async for done in run_checks(checks, set(), longest_s)}


async def test_a_hanging_check_is_cut_off_and_the_others_run() -> None:
    released = threading.Event()

    async def hangs() -> CheckResult:
        return await run_in_thread(lambda: passed(str(released.wait())))

    told = await results(check("stuck", hangs, 0.05), check("next", found(passed("fine"))))
    released.set()
    assert told["stuck"].result.outcome == "fail"
    assert "cut off" in told["stuck"].result.text
    assert told["stuck"].result.advice == "call for help"
    assert told["stuck"].cut_off
    assert told["next"].result.outcome == "pass"
    assert Report(UNIT, tuple(told.values())).cut_off


async def test_a_check_gets_the_rest_of_the_minute() -> None:
    forever = threading.Event()

    async def slow() -> CheckResult:
        return await run_in_thread(lambda: passed(str(forever.wait())))

    told = await results(check("first", slow, 50.0), check("second", slow, 50.0), longest_s=0.05)
    forever.set()
    assert [one.cut_off for one in told.values()] == [True, True]
    assert told["second"].seconds < 1.0


async def test_an_error_of_ours_is_a_fail_with_its_sentence() -> None:
    async def raises() -> CheckResult:
        raise DeviceError("no card: buy one")

    told = (await results(check("sound", raises)))["sound"]
    assert (told.result.outcome, told.result.text, told.cut_off) == ("fail", "no card: buy one", False)


async def test_any_other_error_is_a_mistake_and_is_not_swallowed() -> None:
    async def raises() -> CheckResult:
        return await run_in_thread(lambda: passed(str(1 // 0)))

    with pytest.raises(ZeroDivisionError):
        await results(check("sum", raises))


async def test_a_check_that_needs_a_failed_one_is_skipped() -> None:
    tried: list[str] = []

    async def run() -> CheckResult:
        tried.append("loop")
        return passed("fine")

    first = check("sound", found(failed("no card", "buy one")))
    told = await results(first, check("loop", run, 5.0, "sound"), check("disk", found(passed("fine"))))
    assert tried == []
    assert told["loop"].result == skipped("not tried, because sound failed")
    assert told["disk"].result.outcome == "pass"
    assert (await results(check("loop", run, 5.0, "sound")))["loop"].result.outcome == "pass"


def test_the_page_names_each_check_and_what_to_do() -> None:
    page = "\n".join([format_heading(UNIT), *(format_check(one) for one in report("pass", "fail", "skip").results)])
    assert NUMBER in page
    assert "toy, Momo" in page
    assert "PASS  check_0      fine" in page
    assert "FAIL  check_1      broken\n                   -> mend it" in page
    assert "SKIP  check_2      not here" in page


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (report("pass", "skip"), "1 passed, 0 failed, 1 skipped: this unit is ready."),
        (report("pass", "fail"), "this unit is NOT ready."),
        (report("pass", partial=True), "not all checks were asked for."),
        (report("fail", partial=True), "this unit is NOT ready."),
    ],
)
def test_the_verdict_promises_no_more_than_was_tested(told: Report, words: str) -> None:
    assert words in format_verdict(told)
    assert told.passed == ("NOT" not in words)


@given(st.text(), st.text(), st.integers(60, 200))
def test_no_line_of_the_page_is_too_wide_and_no_word_is_lost(text: str, advice: str, width: int) -> None:
    shown = format_check(CompletedCheck("microphone", failed(text, advice), 0.0), width)
    assert all(len(line) <= width for line in shown.split("\n"))
    assert "".join((text + advice).split()) in "".join(shown.replace("->", "").split()).replace(
        "FAILmicrophone", ""
    ) or ("->" in text + advice)


def test_the_json_says_what_the_page_says() -> None:
    told = json.loads(json.dumps(report("pass", "fail", "skip").as_dict()))
    assert told["passed"] is False
    assert told["unit"] == NUMBER
    assert told["counts"] == {"pass": 1, "fail": 1, "skip": 1}
    assert told["checks"][1] == {
        "name": "check_1",
        "outcome": "fail",
        "text": "broken",
        "advice": "mend it",
        "measured": {},
        "seconds": 0.1,
    }


def words_of(picture: bytes) -> str:
    return "\n".join(ElementTree.fromstring(picture).itertext())


def test_the_card_shows_the_unit_and_every_result_on_one_page_of_a6() -> None:
    told = report(*["pass", "skip", "fail"] * 7)
    root = ElementTree.fromstring(unit_card(told))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("105mm", "148mm", "0 0 420 592")
    words = words_of(unit_card(told))
    assert all(one in words for one in (NUMBER, "Momo", "toy", "1.2.3", "2026-11-03 10:12", "FAILED", "check 20"))
    placed = [float(one.get("y", 0)) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert max(placed) < 592
    # The code is drawn, not merely named.
    assert any(len(one.get("d", "")) > 400 for one in root.iter("{http://www.w3.org/2000/svg}path"))


def test_the_card_of_a_part_of_the_test_is_not_called_passed() -> None:
    assert "PASSED" in words_of(unit_card(report("pass")))
    part = words_of(unit_card(report("pass", partial=True)))
    assert "PASSED" not in part
    assert "IN PART" in part


@given(st.text(), st.text())
def test_the_card_can_be_drawn_whatever_names_and_findings_say(name: str, text: str) -> None:
    unit = UnitInfo(NUMBER, name, name, "1", "2026-11-03T10:12+01:00")
    ElementTree.fromstring(unit_card(Report(unit, (CompletedCheck("disk", passed(text), 0.0),))))


class Keyboard:
    """A person's terminal: what is typed, and what they saw."""

    def __init__(self, patience_s: float = 5.0) -> None:
        self.reading, self.typing = os.pipe()
        self.shown = io.StringIO()
        self.operator = TerminalOperator(self.reading, self.shown, patience_s)

    def type(self, *typed: str) -> None:
        for line in typed:
            os.write(self.typing, line.encode())

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.typing)


class Asked(io.StringIO):
    """A screen; whoever sits before it types `n` when they are asked a second time."""

    def __init__(self, keyboard: Keyboard) -> None:
        super().__init__()
        self._keyboard = keyboard

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count("?  ") == 2:
            self._keyboard.type("n\n")
        return written


@pytest.mark.parametrize(("typed", "answer"), [("y\n", "yes"), ("No\n", "no"), (" R \n", "again"), ("yes\n", "yes")])
async def test_an_answer_is_understood(typed: str, answer: str) -> None:
    keyboard = Keyboard()
    keyboard.type(typed)
    assert await keyboard.operator.ask("Did it shine?") == answer
    assert "Did it shine?" in keyboard.shown.getvalue()
    keyboard.close()


async def test_any_other_input_is_asked_for_again() -> None:
    keyboard = Keyboard()
    keyboard.type("perhaps\n")
    asked = Asked(keyboard)
    assert await TerminalOperator(keyboard.reading, asked).ask("Did it shine?") == "no"
    assert asked.getvalue().count("Did it shine?") == 2
    keyboard.close()


async def test_no_input_is_no_answer() -> None:
    keyboard = Keyboard(patience_s=0.01)
    assert await keyboard.operator.ask("Did it shine?") == "none"
    os.close(keyboard.typing)
    assert await TerminalOperator(keyboard.reading, keyboard.shown).ask("Did it shine?") == "none"
    os.close(keyboard.reading)
