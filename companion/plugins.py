"""Builds engines by name: built-in and third-party ones are found in the same entry-point groups.

A name is an entry point's, or `package.module:factory` for benches and development. A factory takes
`(Device, Persona)` and returns the adapter. It raises `EngineUnavailable` where it cannot work on this machine. Where
its module has a function `check` as well, that takes the same and raises the same, without loading anything: it is how
`companion check` finds out.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, distributions
from itertools import chain
from typing import Any, Literal

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wording import nearest
from companion.errors import ConfigError, EngineUnavailable
from companion.ports import Synthesizer

log = logging.getLogger("companion")

BEST_TRANSCRIBERS = ("vosk", "pocketsphinx")
BEST_SYNTHESIZERS = ("piper", "espeak")
"""What `auto` tries, the best first."""

_PREFIX = "companion."

Group = Literal["wake_words", "speech_detectors", "turn_models", "transcribers", "synthesizers", "bodies", "contexts"]


def build_engine(group: Group, name: str, device: Device, persona: Persona) -> Any:
    """Build the engine called `name`. Raises `EngineUnavailable` with one sentence."""
    factory = _factory(group, name)
    _check_call(name, factory, device, persona)
    return factory(device, persona)


def build_best(
    group: Group, wanted: str, order: Sequence[str], device: Device, persona: Persona, *, or_another: bool = False
) -> Any:
    """Build `wanted`, or for `auto` the first of `order` that works here. The log says which, and why not the others.

    With `or_another` one of `order` also takes the place of a `wanted` one that does not work. Raises
    `EngineUnavailable` when none works.
    """
    if wanted != "auto" and not or_another:
        return build_engine(group, wanted, device, persona)
    reasons = []
    for name in candidates(wanted, order):
        try:
            engine = build_engine(group, name, device, persona)
        except EngineUnavailable as error:
            reasons.append(f"{name}: {error}")
        else:
            log.info("%s: %s%s", group, name, f" ({'; '.join(reasons)})" if reasons else "")
            return engine
    raise EngineUnavailable(f"None of the {group} can be used here. " + "; ".join(reasons))


def build_synthesizer(device: Device, persona: Persona, *, or_another: bool = False) -> Synthesizer:
    """The persona's voice, or, where it cannot be had and `or_another` is set, any that speaks its language.

    Raises `EngineUnavailable`.
    """
    wanted, order = device.voice.engine, BEST_SYNTHESIZERS
    try:
        voice: Synthesizer = build_best("synthesizers", wanted, order, device, persona, or_another=or_another)
    except EngineUnavailable as error:
        if not or_another or persona.speech.espeak is None:
            raise
        log.error("%s The language's own voice is used instead.", error)
        plain = persona.model_copy(update={"speech": persona.speech.model_copy(update={"espeak": None})})
        voice = build_best("synthesizers", wanted, order, device, plain, or_another=True)
    return voice


def candidates(wanted: str, order: Sequence[str]) -> list[str]:
    """The engines to try, the wanted one first."""
    return list(dict.fromkeys(name for name in (wanted, *order) if name != "auto"))


def check_engine(group: Group, name: str, device: Device, persona: Persona) -> None:
    """Whether the engine called `name` could be built, without building it. Raises `EngineUnavailable` if not."""
    factory = _factory(group, name)
    _check_call(name, factory, device, persona)
    check = getattr(sys.modules.get(getattr(factory, "__module__", "")), "check", None)
    if callable(check):
        check(device, persona)


def names(group: Group) -> list[str]:
    """The engines of a group that are installed, by name."""
    return sorted(_installed(tuple(sys.path)).get(group, {}))


@lru_cache(maxsize=1)
def _installed(_path: tuple[str, ...]) -> dict[str, dict[str, EntryPoint]]:
    """All engines on this path, by group and name. Every installed package is looked at: 5 ms, so once a process."""
    found: dict[str, dict[str, EntryPoint]] = {}
    # The first on the path counts, as everywhere.
    for point in chain.from_iterable(package.entry_points for package in distributions()):
        if point.group.startswith(_PREFIX):
            found.setdefault(point.group.removeprefix(_PREFIX), {}).setdefault(point.name, point)
    return found


def _check_call(name: str, factory: Any, device: Device, persona: Persona) -> None:
    try:
        inspect.signature(factory).bind(device, persona)
    except (TypeError, ValueError) as error:
        raise EngineUnavailable(f"{name}: is no engine: it cannot be called with a device and a persona.") from error


def _factory(group: Group, name: str) -> Any:
    if ":" in name:
        module, _, attribute = name.partition(":")
        # `python -m companion` looks into the folder where the person stands; the installed command must, too.
        if os.getcwd() not in sys.path and "" not in sys.path:
            sys.path.append(os.getcwd())
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
            raise EngineUnavailable(f"{name}: cannot be loaded: {error}") from error
    found = _installed(tuple(sys.path)).get(group, {}).get(name)
    if found is None:
        # A mistake in the file, which starting again does not mend.
        raise ConfigError(f"there is no engine {name} among the {group}; {nearest(name, names(group))}")
    try:
        return found.load()
    except ImportError as error:
        raise EngineUnavailable(f"{name}: is not installed here ({error}).") from error
