"""Text to speech by espeak-ng: small, quick, every language, and a voice that is plainly a machine's.

Licence: espeak-ng is GPL-3. It runs here as a program of its own that is given text and gives back sound; nothing of it
is loaded into this process.

One process speaks one sentence. The text goes in by stdin: it never stands in the list of processes, and nothing in it
can be taken for an option. The next process is started as soon as one has spoken and waits on its stdin with the voice
loaded, which hides its start-up; should this process die, that stdin closes and the spare ends by itself. All of it
happens on one thread. Cancelling `synthesize` kills the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from companion.config.device import Device
from companion.config.persona import Persona, PersonaVoice
from companion.errors import EngineUnavailable, SpeechError
from companion.events import SynthesizedSpeech
from companion.languages.language import language
from companion.voice.lipsync import even

PROGRAM = "espeak-ng"
WORDS_A_MINUTE = 175
"""espeak-ng's own pace."""

SENTENCE_PAUSE_S = 0.12
"""Silence after a sentence. espeak-ng's own, 0.3 s, is left out: the next sentence brings its own beginning."""

CLAUSE_PAUSE_S = 0.06
"""Silence after a comma, colon or dash, where a reply is cut to be heard sooner."""

_PROBE_S = 5.0
_SENTENCE_ENDS = ".!?…。！？"
_CLAUSE_ENDS = ",;:–—，、；："
_CLOSERS = "\"'”’»)」』"


class _Call:
    """One sentence's process, which may be ended before it has begun."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def begin(self, process: subprocess.Popen[bytes]) -> None:
        """On the thread."""
        self._process = process
        if self._ended:
            process.kill()

    def end(self) -> None:
        """On the loop. Either this sees the process or `begin` sees that it is not wanted."""
        self._ended = True
        if self._process is not None:
            self._process.kill()


class EspeakSynthesizer:
    """One voice of espeak-ng."""

    name = "espeak"

    def __init__(self, arguments: Sequence[str], rate: int, timeout_s: float) -> None:
        """`arguments` start the program so that it reads text on stdin and writes a WAV of `rate` to stdout."""
        self.rate = rate
        self._arguments = arguments
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, "espeak")
        self._closed = False
        self._spare: subprocess.Popen[bytes] | None = None
        self._thread.submit(self._prepare)

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """Speak one clean sentence. Empty where it holds nothing that can be spoken. Raises `SpeechError`."""
        speakable = clean(text)
        if not speakable:
            return SynthesizedSpeech(b"")
        call = _Call()
        try:
            async with asyncio.timeout(self._timeout_s):
                speaking = asyncio.get_running_loop().run_in_executor(self._thread, self._speak, speakable, call)
                return SynthesizedSpeech(await speaking)
        except TimeoutError as error:
            raise SpeechError(f"espeak-ng took longer than {self._timeout_s:g} s for one sentence.") from error
        except OSError as error:
            raise SpeechError(f"espeak-ng could not be started: {error.strerror or error}.") from error
        finally:
            call.end()
            if not self._closed:
                self._thread.submit(self._prepare)

    async def close(self) -> None:
        """End the spare process."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._end_spare)
            self._thread.shutdown(wait=False)

    def _speak(self, text: str, call: _Call) -> bytes:
        """On the thread."""
        process = self._take()
        call.begin(process)
        sound, said = process.communicate(text.encode("utf-8"))
        if process.returncode != 0:
            raise SpeechError(f"espeak-ng failed ({process.returncode}): {_first_line(said)}")
        rate, pcm = read_wav(sound)
        if rate != self.rate:
            raise SpeechError(f"espeak-ng changed its sample rate from {self.rate} to {rate}; start again.")
        return even(pcm, rate) + bytes(2 * round(pause_after(text) * rate))

    def _prepare(self) -> None:
        """Start the next process. On the thread. A failure is met again, and told, by whoever needs the process."""
        if self._spare is None and not self._closed:
            with contextlib.suppress(OSError):
                self._spare = self._start()

    def _take(self) -> subprocess.Popen[bytes]:
        """The waiting process, or a new one where it died. On the thread."""
        spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is None:
            return spare
        if spare is not None:
            spare.communicate()
        return self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _end_spare(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare.communicate()
            self._spare = None


def build(device: Device, persona: Persona) -> EspeakSynthesizer:
    """The persona's voice. Raises `EngineUnavailable` where espeak-ng or the voice is not installed."""
    voice = persona.speech.espeak
    if voice is None:
        voice = language(persona.language).general.voices.espeak
    _check_variant(voice)
    arguments = arguments_for(voice, persona.speech)
    # Without any text the program writes no header, and the header holds the rate.
    probe = _run(arguments, b"a")
    if probe.returncode != 0:
        raise EngineUnavailable(
            f"espeak-ng has no voice {voice!r}: change speech.espeak; `espeak-ng --voices` lists them."
        )
    try:
        rate, _ = read_wav(probe.stdout)
    except SpeechError as error:
        raise EngineUnavailable(f"espeak-ng does not work here: {error}") from error
    return EspeakSynthesizer(arguments, rate, device.voice.timeout_s)


def arguments_for(voice: str, speech: PersonaVoice) -> tuple[str, ...]:
    """The command that speaks stdin (UTF-8, no SSML) with this voice, without a pause at the end."""
    speed = f"-s{round(WORDS_A_MINUTE * speech.speed)}"
    return (PROGRAM, f"-v{voice}", speed, f"-p{speech.pitch}", "-z", "-b1", "--stdin", "--stdout")


def clean(text: str) -> str:
    """What espeak-ng is given: no control characters (Ctrl-A begins a command) and no `[[` (begins phonemes)."""
    kept = (" " if one in "[]" or unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn") else one for one in text)
    spoken = " ".join("".join(kept).split())
    return spoken if any(one.isalnum() for one in spoken) else ""


def pause_after(text: str) -> float:
    """Seconds of silence that belong behind a text, by the mark it ends in."""
    last = text.rstrip(_CLOSERS + " ")[-1:]
    if last and last in _SENTENCE_ENDS:
        return SENTENCE_PAUSE_S
    return CLAUSE_PAUSE_S if last and last in _CLAUSE_ENDS else 0.0


def read_wav(data: bytes) -> tuple[int, bytes]:
    """Sample rate and sound of a 16-bit mono WAV that came through a pipe. Raises `SpeechError` for anything else.

    Its sizes are wrong by nature (the writer could not go back to fill them in), so the sound is all that follows.
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
    """espeak-ng speaks without a word of warning in the plain voice when the variant is unknown."""
    _, plus, variant = voice.partition("+")
    if not plus or variant.isdigit():
        return
    data = re.search(r"Data at: (.+)", _run((PROGRAM, "--version")).stdout.decode("utf-8", "replace"))
    if data is None:
        return
    known = {path.name for path in (Path(data[1].strip()) / "voices" / "!v").glob("*")}
    if known and variant not in known:
        raise EngineUnavailable(
            f"espeak-ng has no voice variant {variant!r}: change speech.espeak; "
            "`espeak-ng --voices=variant` lists them."
        )


def _run(arguments: Sequence[str], text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(arguments, input=text, capture_output=True, timeout=_PROBE_S, check=False)
    except FileNotFoundError as error:
        raise EngineUnavailable("espeak-ng is not installed: apt install espeak-ng") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"espeak-ng does not work here: {error}") from error


def _first_line(said: bytes) -> str:
    """What the program said of its failure; it never repeats the text."""
    return next(iter(said.decode("utf-8", "replace").splitlines()), "it was ended from outside")
