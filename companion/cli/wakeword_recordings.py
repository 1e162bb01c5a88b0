"""Recordings of an enrolment that are kept on purpose."""

from __future__ import annotations

import io
import logging
import wave
from collections.abc import Sequence
from pathlib import Path

from companion.ears.wake_custom.recordings import Samples
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES
from companion.storage import PRIVATE, create_private_folder, write_atomically

log = logging.getLogger("companion")


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
