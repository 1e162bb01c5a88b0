"""What wakes the unit: whether its words can be heard on this machine, and go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.word_file import WordFile
from companion.ears import wake_words
from companion.ears.wake_custom import second_look
from companion.ears.wake_custom.learnt import learnt_file
from companion.examination.findings import Remark, warning
from companion.examination.of_engines import named
from companion.languages.language import find_language, language


def wake_word_remarks(device: Device, persona: Persona) -> Iterator[Remark]:
    """What is to be said of the table `[ears.wake]`."""
    wake = device.ears.wake
    if wake.mode == "button":
        if wake.button_pin is None and (device.body.gpio is None or not _wakes(device)):
            text = 'is "button" and there is none; set ears.wake.button_pin or body.gpio.button, or write "word"'
            yield warning("ears.wake.mode", text)
        return
    wrong = [Remark("error", ("ears", "wake", *key), text) for key, text in wake_words.problems(wake, persona)]
    if wrong:
        yield from wrong
        return
    place = "ears.wake.engine"
    told = {name: [*named("wake_words", name, place, device, persona, severity="missing")] for name in wake.engines}
    left = {one.name for name in wake.engines if not told[name] for one in wake.heard_by(name)} - wake.stop_words
    for name in wake.engines:
        # What the other engines hear still wakes it.
        yield from (one if left else replace(one, severity="error") for one in told[name])
    yield from _alike(device)
    for key, one in wake_words.placed(wake):
        own = wake_words.word_file(one)
        if own is not None:
            yield from _of_own_word(("ears", "wake", *key, "word"), own, persona)
        if one.file is not None and (learnt := learnt_file(one.file)) is not None:
            text = f"{learnt} is heard in its place, which has learnt how it is called here"
            yield Remark("note", ("ears", "wake", *key, "word"), text)
    for sentence in wake_words.not_used(wake):
        yield Remark("warning", ("ears", "wake"), sentence)


def _wakes(device: Device) -> bool:
    gpio = device.body.gpio
    return gpio is not None and "gpio" in device.body.outputs and bool(gpio.button or gpio.touch)


def _alike(device: Device) -> Iterator[Remark]:
    """Words one of which is said whenever the other one is."""
    words = [(key, wake_words.spoken(one).casefold()) for key, one in wake_words.placed(device.ears.wake)]
    for (key, long), (_, short) in permutations(words, 2):
        if short in long:
            text = f'who says "{long}" says "{short}" too, and either may be heard; take words that differ'
            yield Remark("warning", ("ears", "wake", *key), text)


def _of_own_word(key: tuple[str | int, ...], word: WordFile, persona: Persona) -> Iterator[Remark]:
    if word.language not in (persona.language, *language(persona.language).general.understands):
        made_for, speaks = _name(word.language), _name(persona.language)
        again = f'companion wakeword train "{word.phrase}" --language {persona.language}'
        text = (
            f"is made for {made_for}, and the persona speaks {speaks}; for people who say it so, make it with {again}"
        )
        yield Remark("note", key, text)
    if word.card.second_look is not None and not second_look.is_installed():
        text = f"has no second look here, which needs the package pocketsphinx (Python 3.11 or 3.13){_cost(word)}"
        yield Remark("warning", key, text)


def _name(code: str) -> str:
    found = find_language(code)
    return code if found is None else found.general.name


def _cost(word: WordFile) -> str:
    """What it is expected to miss without the second look; empty where its card does not say."""
    with_it, without = word.card.expected.get("missed"), word.card.expected.get("missed without second look")
    if not isinstance(with_it, int | float) or not isinstance(without, int | float) or without <= with_it:
        return ""
    return f": it misses about {100 * without:.0f} % in place of {100 * with_it:.0f} %"
