"""The files of an enrolment: the word's own, the one from before it, and recordings that are kept on purpose."""

from __future__ import annotations

import io
import logging
import os
import wave
from collections.abc import Sequence
from pathlib import Path

from companion.config.word_file import WordFile, encoded, read
from companion.ears.wake_custom.recordings import Samples
from companion.errors import ConfigError, DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES
from companion.storage import PRIVATE, create_private_folder, write_atomically

log = logging.getLogger("companion")

BEFORE = ".before"
"""What is added to the name of the file in which a word stays as it was made."""


def must_be_writable(file: Path) -> None:
    """Raise `ConfigError` where what would be learnt could not be written: nobody should say it ten times in vain."""
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file; name the .ww file of the wake word")
    if not os.access(file.parent, os.W_OK) or not os.access(file, os.W_OK):
        raise ConfigError(f"{file}: may not be written by this user; run this with sudo")


def replace(file: Path, learnt: WordFile) -> None:
    """Write the word, whole or not at all; the first time the old file stays beside it. Raises `DeviceError`."""
    before = file.with_name(file.name + BEFORE)
    mode = file.stat().st_mode & 0o777
    try:
        if not before.exists():
            write_atomically(before, file.read_bytes(), mode)
        write_atomically(file, encoded(learnt), mode)
    except OSError as error:
        raise DeviceError(f"{file}: cannot be written ({error.strerror or error}); it is as it was before") from error


def forget_enrolment(file: Path) -> None:
    """Put back the word as it was made. Raises `ConfigError` where it has learnt nothing, and `DeviceError`."""
    before = file.with_name(file.name + BEFORE)
    if not before.is_file():
        raise ConfigError(f"{file}: has learnt nothing here ({before.name} is not beside it)")
    read(before)
    try:
        os.replace(before, file)
    except OSError as error:
        raise DeviceError(f"{file}: cannot be written ({error.strerror or error}); it is as it was before") from error


def keep_recordings(folder: Path, phrase: str, recordings: Sequence[Samples]) -> None:
    """Write them as WAV files that only this user can read, and say so in the log. Raises `DeviceError`."""
    stem = "".join(one if one.isalnum() else "_" for one in phrase)
    try:
        create_private_folder(folder)
        free = max((int(one.stem.rpartition("-")[2]) for one in folder.glob(f"{stem}-[0-9]*.wav")), default=0) + 1
        for number, samples in enumerate(recordings, free):
            held = io.BytesIO()
            with wave.open(held, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(SAMPLE_BYTES)
                file.setframerate(EAR_RATE)
                file.writeframes(samples.astype("<i2").tobytes())
            write_atomically(folder / f"{stem}-{number:02}.wav", held.getvalue(), PRIVATE)
    except OSError as error:
        raise DeviceError(f"{folder}: the recordings cannot be kept ({error.strerror or error})") from error
    log.warning("%d recordings of a voice are kept in %s", len(recordings), folder)
