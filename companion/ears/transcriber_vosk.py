"""Speech to text with Vosk (Kaldi; Apache-2.0) and a model from a folder that the installer has set up.

One thread does everything that touches the library, in the order of the calls: the import, loading the model (which
starts when the transcriber is built), and each call. Vosk splits a long utterance by itself and returns the words of
each part; they are collected and joined. A call that takes longer than `timeout_s` raises `SpeechError`. Its thread
cannot be stopped, and later calls wait for it. Sound is 16-bit mono PCM at `EAR_RATE`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable, SpeechError
from companion.events import EAR_RATE, Transcript
from companion.models.catalogue import find_installed

UNKNOWN_WORD = "[unk]"
"""What a model returns for sound that is none of its words."""

Answer = TypeVar("Answer")


class VoskTranscriber:
    """Satisfies `companion.ports.Transcriber`."""

    name = "vosk"

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vosk")
        self._model = self._thread.submit(_load, folder)
        self._utterance: _Utterance | None = None

    async def start(self) -> None:
        """Begin an utterance, after waiting for the model to be loaded."""
        self._utterance = None
        self._utterance = await self._call(lambda: _Utterance(self._model.result()))

    async def feed(self, pcm: bytes) -> str:
        """Take sound; return the words so far."""
        utterance = self._current_utterance()
        return await self._call(lambda: utterance.feed(pcm))

    async def finish(self) -> Transcript:
        """The words of the whole utterance."""
        utterance = self._current_utterance()
        self._utterance = None
        return await self._call(utterance.finish)

    async def cancel(self) -> None:
        """Drop the utterance, if there is one."""
        self._utterance = None

    async def close(self) -> None:
        """Let the thread end after the call it is in."""
        self._utterance = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _current_utterance(self) -> _Utterance:
        if self._utterance is None:
            raise SpeechError("the vosk transcriber was given sound before an utterance was begun")
        return self._utterance

    async def _call(self, function: Callable[[], Answer]) -> Answer:
        call = asyncio.wrap_future(self._thread.submit(function))
        try:
            done, _ = await asyncio.wait([call], timeout=self._timeout_s)
        finally:
            # Nobody waits for it any more. A call that has started still runs to its end in the thread.
            if not call.done():
                call.cancel()
        if not done:
            raise SpeechError(
                f"vosk took longer than {self._timeout_s:g} s: use a smaller model, or raise ears.transcriber.timeout_s"
            )
        error = call.exception()
        # The library raises a bare `Exception` for all its own errors; the other types come from importing it
        # (`RuntimeError` for a user without a home folder).
        if type(error) is Exception or isinstance(error, ImportError | OSError | RuntimeError):
            raise SpeechError(
                f"vosk failed ({error}): check that the package vosk works on this processor "
                f"and that ears.transcriber.model, {self._folder}, is a whole Vosk model"
            ) from error
        return call.result()


class _Utterance:
    """One recogniser of the library. Used in the thread only."""

    def __init__(self, model: Any) -> None:
        from vosk import KaldiRecognizer  # type: ignore[import-untyped]  # has no stubs

        self._recogniser = KaldiRecognizer(model, EAR_RATE)
        self._recogniser.SetWords(True)
        self._words: list[str] = []
        self._confidences: list[float] = []

    def feed(self, pcm: bytes) -> str:
        if self._recogniser.AcceptWaveform(pcm):
            self._collect(self._recogniser.Result())
            return " ".join(self._words)
        return " ".join([*self._words, *_known_words(json.loads(self._recogniser.PartialResult()).get("partial", ""))])

    def finish(self) -> Transcript:
        self._collect(self._recogniser.FinalResult())
        confidence = sum(self._confidences) / len(self._confidences) if self._confidences else 1.0
        return Transcript(" ".join(self._words), confidence)

    def _collect(self, result: str) -> None:
        part = json.loads(result)
        self._words += _known_words(part.get("text", ""))
        self._confidences += [float(word["conf"]) for word in part.get("result", ()) if word["word"] != UNKNOWN_WORD]


def _known_words(text: str) -> list[str]:
    return [word for word in text.split() if word != UNKNOWN_WORD]


def _load(folder: Path) -> Any:
    import vosk

    # Below 0 the library logs errors only.
    vosk.SetLogLevel(-1)
    return vosk.Model(str(folder))


def build(device: Device, persona: Persona) -> VoskTranscriber:
    """Start to load the model. Raises `EngineUnavailable`."""
    return VoskTranscriber(check(device, persona), device.ears.transcriber.timeout_s)


def check(device: Device, persona: Persona) -> Path:
    """The model that the device file names, or else one that was fetched for the persona's language.

    A model is a folder that contains `am/final.mdl` or, in older models, `final.mdl`. Raises `EngineUnavailable`.
    """
    folder = device.ears.transcriber.model or find_installed("vosk", persona.language)
    if folder is None:
        raise EngineUnavailable(
            "vosk has no model: fetch one with `companion models pull`, or set ears.transcriber.model to its folder"
        )
    if importlib.util.find_spec("vosk") is None:
        raise EngineUnavailable(
            'vosk is not installed: install the package vosk, or set ears.transcriber.engine = "auto"'
        )
    if not os.path.isdir(folder):
        raise EngineUnavailable(
            f"there is no Vosk model at {folder}, or it may not be read: "
            "set ears.transcriber.model to the folder of an unpacked Vosk model"
        )
    if not any(os.path.isfile(folder / file) for file in ("am/final.mdl", "final.mdl")):
        raise EngineUnavailable(
            f"{folder} is not a Vosk model (it has no am/final.mdl): "
            "set ears.transcriber.model to the folder that holds am/, conf/ and graph/"
        )
    return folder
