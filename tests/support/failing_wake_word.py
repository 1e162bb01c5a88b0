"""An engine for `ears.wake.engine` whose library breaks: it hears nothing from the second second of sound on."""

from __future__ import annotations

from companion.config.device import Device
from companion.config.persona import Persona
from companion.ears import wake_word
from companion.errors import EngineUnavailable
from companion.events import EAR_RATE, AudioFrame
from companion.ports import WakeWord


class FailingWakeWord:
    """Hears the words as `micro` does. The first one that is built fails after `GOOD_S` of sound."""

    GOOD_S = 1.0
    built = 0

    def __init__(self, engine: WakeWord) -> None:
        FailingWakeWord.built += 1
        self.words = engine.words
        self._engine = engine
        self._breaks = FailingWakeWord.built == 1

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        if self._breaks and frame.end > self.GOOD_S * EAR_RATE:
            raise OSError(5, "Input/output error")
        return self._engine.detect(frame, speaking=speaking)

    def reset(self) -> None:
        self._engine.reset()


def build(device: Device, persona: Persona) -> FailingWakeWord:
    wake = device.ears.wake.model_copy(update={"engine": "auto"})
    return FailingWakeWord(
        wake_word.build(device.model_copy(update={"ears": device.ears.model_copy(update={"wake": wake})}), persona)
    )


def build_once(device: Device, persona: Persona) -> FailingWakeWord:
    """The same, but no second one can be built: its file is gone."""
    if FailingWakeWord.built:
        raise EngineUnavailable("its file is gone")
    return build(device, persona)
