"""Builds engines by name: built-in and third-party ones are found in the same entry-point groups.

A name is an entry point's, or `package.module:factory` for benches and development. A factory takes
`(Device, Persona)` and returns the adapter. It raises `EngineUnavailable` where it cannot work on this machine.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any, Literal

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable

log = logging.getLogger("companion")

Group = Literal["wake_words", "speech_detectors", "transcribers", "synthesizers", "bodies", "contexts"]


def build_engine(group: Group, name: str, device: Device, persona: Persona) -> Any:
    """Build the engine called `name`. Raises `EngineUnavailable` with one sentence."""
    factory = _factory(group, name)
    try:
        inspect.signature(factory).bind(device, persona)
    except (TypeError, ValueError) as error:
        raise EngineUnavailable(f"{name}: is no engine: it cannot be called with a device and a persona.") from error
    return factory(device, persona)


def build_best(group: Group, wanted: str, order: Sequence[str], device: Device, persona: Persona) -> Any:
    """Build `wanted`, or for `auto` the first of `order` that works here. The log says which, and why not the others.

    Raises `EngineUnavailable` when none works.
    """
    if wanted != "auto":
        return build_engine(group, wanted, device, persona)
    reasons = []
    for name in order:
        try:
            engine = build_engine(group, name, device, persona)
        except EngineUnavailable as error:
            reasons.append(f"{name}: {error}")
        else:
            log.info("%s: %s%s", group, name, f" ({'; '.join(reasons)})" if reasons else "")
            return engine
    raise EngineUnavailable(f"None of the {group} can be used here. " + " ".join(reasons))


def _factory(group: Group, name: str) -> Any:
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
            raise EngineUnavailable(f"{name}: cannot be loaded: {error}") from error
    found = entry_points(group=f"companion.{group}", name=name)
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group=f"companion.{group}")))
        raise EngineUnavailable(f"{name}: there is no such engine among the {group}; there is {known or 'none'}.")
    try:
        return next(iter(found)).load()
    except ImportError as error:
        raise EngineUnavailable(f"{name}: is not installed here ({error}).") from error
