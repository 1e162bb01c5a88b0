"""Text to speech with espeak-ng: small, fast, speaks every language, and sounds like a machine.

Licence: espeak-ng is GPL-3. It runs as a separate program that reads text and writes sound; nothing of it is loaded
into this process.

One process speaks one sentence. The text goes in through stdin, so it never shows up in the list of processes and
cannot be taken for an option. As soon as one process has spoken, the next one is started. It waits on its stdin with
the voice loaded, which hides its start-up time. If this process dies, that stdin closes and the spare process ends by
itself. All of this happens on one thread. Cancelling `synthesize` kills the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from companion.child_environment import child_environment
from companion.config.device import Device
from companion.config.persona import Persona, PersonaVoice
from companion.errors import EngineUnavailable, SpeechError
from companion.events import SynthesizedSpeech
from companion.languages.language import find_language, language
from companion.priority import step_back
from companion.voice.lipsync import normalize_loudness
from companion.voice.readable import Reading, espeak_scripts

PROGRAM = "espeak-ng"
WORDS_A_MINUTE = 175
"""espeak-ng's own pace."""

SENTENCE_PAUSE_S = 0.12
"""Silence after a sentence. espeak-ng's own 0.3 s are switched off: the next sentence has its own beginning."""

CLAUSE_PAUSE_S = 0.06
"""Silence after a comma, colon or dash, where a reply may be cut so that it is heard sooner."""

_PROBE_S = 5.0
_SENTENCE_ENDS = ".!?…。！？"
_CLAUSE_ENDS = ",;:–—，、；："
_CLOSERS = "\"'”’»)」』"


class _Job:
    """The process of one sentence. It may be cancelled before the process exists."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def attach(self, process: subprocess.Popen[bytes]) -> None:
        """Called on the thread."""
        self._process = process
        if self._cancelled:
            process.kill()

    def cancel(self) -> None:
        """Called on the loop. Either this sees the process, or `attach` sees that it is no longer wanted."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()


class EspeakSynthesizer:
    """One voice of espeak-ng."""

    name = "espeak"

    def __init__(self, arguments: Sequence[str], rate: int, timeout_s: float, reading: Reading | None = None) -> None:
        """`arguments` start a program that reads text on stdin and writes a WAV of that `rate` (samples a second)."""
        self.rate = rate
        self._arguments = arguments
        self._timeout_s = timeout_s
        self._reading = reading or Reading(self.name, None)
        self._thread = ThreadPoolExecutor(1, "espeak")
        self._closed = False
        self._spare: subprocess.Popen[bytes] | None = None
        self._thread.submit(self._start_spare)

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """Speak one clean sentence. Empty if it contains nothing that can be spoken. Raises `SpeechError`."""
        speakable = speakable_text(self._reading.readable_text(text))
        if not speakable:
            return SynthesizedSpeech(b"")
        job = _Job()
        try:
            async with asyncio.timeout(self._timeout_s):
                speaking = asyncio.get_running_loop().run_in_executor(self._thread, self._speak, speakable, job)
                return SynthesizedSpeech(await speaking)
        except TimeoutError as error:
            raise SpeechError(f"espeak-ng took longer than {self._timeout_s:g} s for one sentence.") from error
        except OSError as error:
            raise SpeechError(f"espeak-ng could not be started: {error.strerror or error}.") from error
        finally:
            job.cancel()
            if not self._closed:
                self._thread.submit(self._start_spare)

    async def close(self) -> None:
        """End the spare process."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._end_spare)
            self._thread.shutdown(wait=False)

    def _speak(self, text: str, job: _Job) -> bytes:
        """Runs on the thread."""
        process = self._take_process()
        job.attach(process)
        sound, messages = process.communicate(text.encode("utf-8"))
        if process.returncode != 0:
            raise SpeechError(f"espeak-ng failed ({process.returncode}): {_first_line(messages)}")
        rate, pcm = read_wav(sound)
        if rate != self.rate:
            raise SpeechError(f"espeak-ng changed its sample rate from {self.rate} to {rate}; start again.")
        return normalize_loudness(pcm, rate) + bytes(2 * round(pause_after(text) * rate))

    def _start_spare(self) -> None:
        """Start the next process, on the thread. If it fails, `_take_process` tries again and reports the error."""
        if self._spare is None and not self._closed:
            with contextlib.suppress(OSError):
                self._spare = self._start()

    def _take_process(self) -> subprocess.Popen[bytes]:
        """The spare process, or a new one if that died. Runs on the thread."""
        spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is None:
            return spare
        if spare is not None:
            spare.communicate()
        return self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(),
        )
        step_back(process.pid)
        return process

    def _end_spare(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare.communicate()
            self._spare = None


def build(device: Device, persona: Persona) -> EspeakSynthesizer:
    """The persona's voice. Raises `EngineUnavailable` if espeak-ng or the voice is not installed."""
    arguments, rate = check(device, persona)
    voice = voice_of(persona)
    reading = Reading(f"{PROGRAM} {voice}", espeak_scripts(find_language(voice.partition("+")[0])))
    return EspeakSynthesizer(arguments, rate, device.voice.timeout_s, reading)


def voice_of(persona: Persona) -> str:
    """The espeak-ng voice of a persona: its own, else its language's."""
    own = persona.speech.espeak
    return language(persona.language).general.voices.espeak if own is None else own


def check(device: Device, persona: Persona) -> tuple[tuple[str, ...], int]:  # noqa: ARG001 - the shape of every check
    """The program's arguments for the persona's voice, and its sample rate. Raises `EngineUnavailable`."""
    voice = voice_of(persona)
    _check_variant(voice)
    arguments = arguments_for(voice, persona.speech)
    # The header of the WAV tells the rate. Without any text there would be no header.
    probe = _run_espeak(arguments, b"a")
    if probe.returncode != 0:
        raise EngineUnavailable(
            f"espeak-ng has no voice {voice!r}: change speech.espeak; `espeak-ng --voices` lists them."
        )
    try:
        rate, _ = read_wav(probe.stdout)
    except SpeechError as error:
        raise EngineUnavailable(f"espeak-ng does not work here: {error}") from error
    return arguments, rate


def knows_voice(voice: str) -> bool:
    """Whether espeak-ng lists the voice; True where it is not installed and nobody can tell.

    For some that it does not know it speaks all the same, with one that it takes for near.
    """
    if shutil.which(PROGRAM) is None:
        return True
    try:
        _check_variant(voice)
        listed = _run_espeak((PROGRAM, "--voices")).stdout.decode("utf-8", "replace").lower()
    except EngineUnavailable:
        return False
    plain = voice.partition("+")[0].lower()
    # Priority, language, age and gender, name, file, and other languages in brackets.
    names = {name for line in listed.splitlines()[1:] for name in re.findall(r"[^\s()]+", line)}
    names |= {name.rpartition("/")[2] for name in names}
    # MBROLA's voices are files of their own and are not in this list.
    return plain.startswith("mb") or plain in names or len(names) < 2


def arguments_for(voice: str, speech: PersonaVoice) -> tuple[str, ...]:
    """The command that speaks the text on stdin (UTF-8, no SSML) with this voice, without a pause at the end."""
    speed = f"-s{round(WORDS_A_MINUTE * speech.speed)}"
    return (PROGRAM, f"-v{voice}", speed, f"-p{speech.pitch}", "-z", "-b1", "--stdin", "--stdout")


def speakable_text(text: str) -> str:
    """The text without control characters (Ctrl-A begins a command) and `[[` (begins phonemes).

    Empty if no letter or digit is left.
    """
    kept = (" " if one in "[]" or unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn") else one for one in text)
    spoken = " ".join("".join(kept).split())
    return spoken if any(one.isalnum() for one in spoken) else ""


def pause_after(text: str) -> float:
    """Seconds of silence after a text, by the mark that it ends with."""
    last = text.rstrip(_CLOSERS + " ")[-1:]
    if last and last in _SENTENCE_ENDS:
        return SENTENCE_PAUSE_S
    return CLAUSE_PAUSE_S if last and last in _CLAUSE_ENDS else 0.0


def read_wav(data: bytes) -> tuple[int, bytes]:
    """Sample rate and sound of a 16-bit mono WAV that came through a pipe. Raises `SpeechError` for anything else.

    The sizes in its header are wrong, because the writer could not go back to fill them in. So everything after the
    header of the data chunk is sound.
    """
    at, rate = 12, 0
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SpeechError("espeak-ng gave no WAV sound.")
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data" and rate:
            return rate, data[at : at + (len(data) - at) // 2 * 2]
        if name == b"fmt " and at + 16 <= len(data):
            layout, channels = data[at : at + 2], data[at + 2 : at + 4]
            rate = int.from_bytes(data[at + 4 : at + 8], "little")
            if (layout, channels, data[at + 14 : at + 16]) != (b"\x01\0", b"\x01\0", b"\x10\0"):
                break
        at += size
    raise SpeechError("espeak-ng gave a WAV that is not 16-bit mono sound.")


def _check_variant(voice: str) -> None:
    """Raise `EngineUnavailable` for an unknown variant, for which espeak-ng would silently use the plain voice."""
    _, plus, variant = voice.partition("+")
    if not plus or variant.isdigit():
        return
    data = re.search(r"Data at: (.+)", _run_espeak((PROGRAM, "--version")).stdout.decode("utf-8", "replace"))
    if data is None:
        return
    known = {path.name for path in (Path(data[1].strip()) / "voices" / "!v").glob("*")}
    if known and variant not in known:
        raise EngineUnavailable(
            f"espeak-ng has no voice variant {variant!r}: change speech.espeak; "
            "`espeak-ng --voices=variant` lists them."
        )


def _run_espeak(arguments: Sequence[str], text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            arguments, input=text, capture_output=True, timeout=_PROBE_S, check=False, env=child_environment()
        )
    except FileNotFoundError as error:
        raise EngineUnavailable("espeak-ng is not installed: apt install espeak-ng") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"espeak-ng does not work here: {error}") from error


def _first_line(messages: bytes) -> str:
    """The first line that the program wrote about its failure. It never contains the text to be spoken."""
    return next(iter(messages.decode("utf-8", "replace").splitlines()), "it was ended from outside")
