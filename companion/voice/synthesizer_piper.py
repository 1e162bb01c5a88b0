"""Text to speech with Piper: a neural voice from one ONNX file, on the device.

Licence: piper-tts is GPL-3, and unlike espeak-ng it is loaded into this process. Consider this before you ship it in a
product; `docs/licences.md` says how to ship without it.

All of Piper runs on one thread: importing it, loading the voice, and speaking. `build` starts the loading, so that it
runs during the first seconds of listening. Cancelling `synthesize` does not stop a sentence that is being computed; the
next one waits for it. Piper would raise each sentence to full scale. That is switched off, and `normalize_loudness`
makes all sentences equally loud.
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import json
import os
import stat
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable, SpeechError
from companion.events import Phoneme, SynthesizedSpeech
from companion.languages.language import find_language
from companion.models.catalogue import find_installed
from companion.priority import step_back
from companion.storage import read_bounded_file
from companion.voice.lipsync import normalize_loudness
from companion.voice.readable import Reading

THREADS = 2
"""Threads of the ONNX runtime: half the cores of a Raspberry Pi, so that listening goes on during speech."""

LONGEST_SETTINGS = 1 << 20
"""Bytes of a voice's `.onnx.json`; the published ones have up to 20 KB."""

_MOST_FIELDS = 10_000
"""Outermost fields of an ONNX file; real ones have about ten."""

_UNSPEAKABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk")

Speak = Callable[[str], SynthesizedSpeech]
"""Turns text into sound. Blocks. Raises `SpeechError`."""


@dataclass(frozen=True)
class VoiceFile:
    """What is known about a voice before it is loaded."""

    model: Path
    settings: Path
    rate: int
    speakers: int
    language: str
    """The language as espeak-ng names it: `en-us`."""


class PiperSynthesizer:
    """One speaker of one Piper voice."""

    name = "piper"

    def __init__(self, voice: VoiceFile, speaker: int | None, speed: float, timeout_s: float) -> None:
        self.rate = voice.rate
        self._voice = voice
        known = find_language(voice.language)
        self._reading = Reading(voice.model.stem, None if known is None else frozenset(known.general.voices.scripts))
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, "piper", initializer=step_back)
        self._loaded: Future[Speak] = self._thread.submit(_load_voice, voice, speaker, speed)

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """Speak one clean sentence. Empty if it contains nothing that can be spoken. Raises `SpeechError`.

        The first call also waits for the voice to load. Each of the two may take `voice.timeout_s` of the device file.
        """
        speakable = speakable_text(self._reading.readable_text(text))
        if not speakable:
            return SynthesizedSpeech(b"")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                # It runs after the loading on the same thread, so this `result` does not block.
                speak = await loop.run_in_executor(self._thread, self._loaded.result)
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._thread, speak, speakable)
        except TimeoutError as error:
            raise SpeechError(f"The Piper voice took longer than {self._timeout_s:g} s for one sentence.") from error

    async def close(self) -> None:
        """End the thread after the sentence that it is computing."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def build(device: Device, persona: Persona) -> PiperSynthesizer:
    """The persona's voice; it is loaded on its thread. Raises `EngineUnavailable`."""
    voice = check(device, persona)
    return PiperSynthesizer(voice, persona.speech.speaker, persona.speech.speed, device.voice.timeout_s)


def check(device: Device, persona: Persona) -> VoiceFile:
    """The voice of the device file, otherwise one that was downloaded for the persona's language.

    Raises `EngineUnavailable` if Piper is not installed or there is no intact voice file.
    """
    model = device.voice.model or find_installed("piper", persona.language)
    if model is None:
        raise EngineUnavailable(
            "Piper has no voice: fetch one with `companion models pull`, or name its .onnx file as voice.model."
        )
    if importlib.util.find_spec("piper") is None:
        raise EngineUnavailable("Piper is not installed: pip install piper-tts")
    voice = read_voice_file(model)
    speaker = persona.speech.speaker
    if speaker is not None and speaker >= voice.speakers:
        raise EngineUnavailable(
            f"{voice.model}: speech.speaker is {speaker}, but the voice's speakers are 0 to {voice.speakers - 1}."
        )
    return voice


def read_voice_file(model: Path) -> VoiceFile:
    """Look at a voice without loading it. Raises `EngineUnavailable` if a part is missing, cut off or not a voice."""
    settings = Path(f"{model}.json")
    try:
        if not is_whole_onnx(model):
            raise EngineUnavailable(f"{model}: is not a whole ONNX file; download the voice again.")
        description = json.loads(read_bounded_file(settings, LONGEST_SETTINGS))
        rate, speakers = description["audio"]["sample_rate"], description["num_speakers"]
        language, _ = str(description["espeak"]["voice"]), description["phoneme_id_map"]
    except OSError as error:
        missing = error.filename or model
        raise EngineUnavailable(
            f"{missing}: cannot be read ({error.strerror}); a voice is an .onnx file and its .onnx.json beside it."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EngineUnavailable(f"{settings}: does not describe a Piper voice; download it again.") from error
    if not (isinstance(rate, int) and isinstance(speakers, int) and 4000 <= rate <= 192_000 and speakers >= 1):
        raise EngineUnavailable(f"{settings}: does not describe a Piper voice; download it again.")
    return VoiceFile(model, settings, rate, speakers, language)


def is_whole_onnx(path: Path) -> bool:
    """Whether the outermost protobuf fields of a file end exactly at its end.

    This is not so for a download that was cut off, a web page or a pointer to a file. Reads only a few bytes of each
    field. Raises OSError.
    Wire format: https://protobuf.dev/programming-guides/encoding/
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        # Opening a pipe would wait for its writer.
        raise PermissionError(errno.EPERM, "is not a plain file", str(path))
    size = found.st_size
    with path.open("rb") as file:
        for _ in range(_MOST_FIELDS):
            if file.tell() >= size:
                break
            wire_type = _varint(file) & 7
            length = {0: 0, 1: 8, 2: -1, 5: 4}.get(wire_type, size)
            if wire_type == 0:
                _varint(file)
            elif wire_type == 2:
                length = _varint(file)
            file.seek(min(length, size), os.SEEK_CUR)
        return file.tell() == size > 0


def _varint(file: BinaryIO) -> int:
    """The next number, or as much of it as there is before the end of the file."""
    value = shift = 0
    while byte := file.read(1):
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80 or shift > 63:
            break
    return value


def speakable_text(text: str) -> str:
    """The text without what a voice would read out by its Unicode name: emoji, control characters; nor `[[`.

    `[[` would begin phonemes. Empty if no letter or digit is left.
    """
    kept = (" " if one in "[]" or unicodedata.category(one) in _UNSPEAKABLE else one for one in text)
    spoken = " ".join("".join(kept).split())
    return spoken if any(one.isalnum() for one in spoken) else ""


def _load_voice(voice: VoiceFile, speaker: int | None, speed: float) -> Speak:
    """Import Piper, load the voice and speak a first word that nobody hears. Runs on Piper's thread."""
    # Otherwise the ONNX runtime gives this machine an identifier and reports to its maker over the network. Its own
    # call that switches this off comes too late (Privacy.md in its wheel), so this must be set before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime  # type: ignore[import-untyped]  # it has no types
        from onnxruntime.capi import onnxruntime_pybind11_state  # type: ignore[import-untyped]
        from piper import PiperConfig, PiperVoice, SynthesisConfig
    except ImportError as error:
        raise SpeechError(f"Piper cannot be loaded: {error}. Install it again: pip install piper-tts") from error
    # The exceptions of ONNX have no common base class.
    known = vars(onnxruntime_pybind11_state).values()
    onnx_errors = [one for one in known if isinstance(one, type) and issubclass(one, Exception)]
    cannot_load: tuple[type[Exception], ...] = (*onnx_errors, OSError, ValueError, KeyError, TypeError)
    cannot_speak: tuple[type[Exception], ...] = (*onnx_errors, ImportError, ValueError, RuntimeError)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    try:
        config = PiperConfig.from_dict(json.loads(read_bounded_file(voice.settings, LONGEST_SETTINGS)))
        session = onnxruntime.InferenceSession(str(voice.model), options, providers=["CPUExecutionProvider"])
    except cannot_load as error:
        raise SpeechError(f"{voice.model}: the voice cannot be loaded; download it again.") from error
    piper = PiperVoice(session, config)
    # Most voices have one output, the sound. Some have a second one, the lengths of the phonemes.
    aligned = len(session.get_outputs()) > 1
    settings = SynthesisConfig(speaker_id=speaker, length_scale=config.length_scale / speed, normalize_audio=False)

    def speak(text: str) -> SynthesizedSpeech:
        try:
            pieces = list(piper.synthesize(text, settings, include_alignments=aligned))
        except cannot_speak as error:
            raise SpeechError(f"{voice.model}: the voice failed: {type(error).__name__}.") from error
        if not pieces:
            return SynthesizedSpeech(b"")
        samples = np.nan_to_num(np.concatenate([piece.audio_float_array for piece in pieces])) * 32767.0
        pcm = normalize_loudness(np.trunc(samples).astype("<i2").tobytes(), voice.rate)
        return SynthesizedSpeech(pcm, _phonemes(pieces))

    speak("a")
    return speak


def _phonemes(pieces: Sequence[Any]) -> tuple[Phoneme, ...]:
    """The phonemes of Piper's `AudioChunk`s with their times; empty if a chunk has none."""
    phonemes = []
    start = 0
    for piece in pieces:
        if not piece.phoneme_alignments:
            return ()
        at = start
        for one in piece.phoneme_alignments:
            phonemes.append(Phoneme(at, one.phoneme))
            at += one.num_samples
        start += len(piece.audio_float_array)
    return tuple(phonemes)
