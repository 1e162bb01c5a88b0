"""The check of the wake words: each is played by the loudspeaker and has to be recognised."""

from __future__ import annotations

import asyncio
from functools import partial

from companion import plugins
from companion.config.device import Device
from companion.config.persona import Persona, PersonaVoice
from companion.config.wake import WakeWordSettings
from companion.doctor.check import UnitUnderTest, run_in_thread
from companion.doctor.checks_sound import BUSY_ADVICE, QUIET_S, TRIES, unless_busy
from companion.doctor.recording import Recording, loudspeaker, record, sound_card
from companion.doctor.report import CheckResult, Measurement, failed, passed, skipped
from companion.ears import wake_words
from companion.ears.wake_custom.learnt import learnt_file
from companion.ears.wake_words import WakeWords
from companion.errors import EngineUnavailable
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.languages.language import find_language
from companion.ports import Synthesizer
from companion.sound.pcm import resample

WAKE_VOICES = ("en-us", "en-gb", "en-gb+f3", "en-us+f4", "en-us+m3")
"""espeak-ng voices that say the wake word; each model recognises only some of them (hey_jarvis only +f4)."""
_VARIANTS = ("+f4", "+m3", "+f3")
HEARD_WITHIN_S = 1.5
_PIECE = 512


def build_words(device: Device, persona: Persona) -> WakeWords:
    """All wake words of the unit. Raises `ConfigError` and `EngineUnavailable`."""
    wake_words.check(device, persona)
    return WakeWords(device.ears.wake, lambda engine: plugins.build_engine("wake_words", engine, device, persona))


async def check_wake_word(unit: UnitUnderTest) -> CheckResult:
    """Whether each wake word and stop word is recognised when the loudspeaker plays it."""
    if unit.device.ears.wake.mode == "button":
        return skipped("the device file wants a button instead")
    engine = await run_in_thread(partial(build_words, unit.device, unit.persona))
    try:
        found = [(word, await _check_word(unit, engine, word)) for word in unit.device.ears.wake.listed]
    finally:
        engine.close()
    if len(found) == 1:
        return found[0][1]
    text = "; ".join(one.text for _, one in found)
    measured: dict[str, Measurement] = {
        f"{word.name}_{name}": value for word, one in found for name, value in one.measured.items()
    }
    missed = next((one for _, one in found if one.outcome == "fail"), None)
    if missed is not None:
        return failed(text, missed.advice, **measured)
    heard = any(one.outcome == "pass" for _, one in found)
    return passed(text, **measured) if heard else skipped(text)


async def _check_word(unit: UnitUnderTest, engine: WakeWords, word: WakeWordSettings) -> CheckResult:
    said = wake_words.spoken(word)
    try:
        sample = await find_wake_sample(unit, engine, word)
    except EngineUnavailable as error:
        return skipped(f"the station's own voice is missing: {error}")
    if sample is None:
        return skipped(f'no voice of espeak-ng says "{said}" so that its model knows it; say it yourself')
    found = await _play_word(unit, engine, word, *sample)
    for _ in range(TRIES - 1):
        if found.advice != BUSY_ADVICE:
            break
        found = await _play_word(unit, engine, word, *sample)
    return found


async def _play_word(
    unit: UnitUnderTest, engine: WakeWords, word: WakeWordSettings, voice: str, pcm: bytes
) -> CheckResult:
    said = wake_words.spoken(word)
    heard_after: list[float] = []
    engine.reset()

    async def play(recording: Recording) -> None:
        async with loudspeaker(unit, card) as mouth:
            await asyncio.sleep(QUIET_S)
            recording.take_new()
            now = asyncio.get_running_loop().time
            began = now()
            await mouth.write(pcm)
            end = began + len(pcm) / SAMPLE_BYTES / EAR_RATE + HEARD_WITHIN_S
            while not heard_after and now() < end:
                await asyncio.sleep(0.05)
                if engine.detect(recording.take_new(), speaking=True) == word.name:
                    heard_after.append(now() - began)

    async with sound_card(unit) as card:
        recording = await record(unit, card, play)
    if heard_after:
        ms = round(1000 * heard_after[0])
        learnt = learnt_file(word.file) if word.file is not None else None
        text = f'"{said}" was recognised' + (f", as learnt in {learnt}" if learnt is not None else "")
        return passed(text, heard_after_ms=ms, voice=voice)
    missed = failed(
        f'"{said}" was played and not recognised',
        "Be quiet during the test; see that nothing covers the microphone; find its gain with --calibrate.",
        voice=voice,
    )
    return unless_busy(missed, recording)


def voices_of(word: WakeWordSettings, persona: Persona) -> tuple[str, ...]:
    """Voices of espeak-ng that say the word: those of the language that a word of one's own is made for."""
    if word.file is None:
        return WAKE_VOICES
    own = wake_words.word_file(word)
    spoken = find_language(persona.language if own is None else own.language)
    if spoken is None:
        return WAKE_VOICES
    voice = spoken.general.voices.espeak
    return (voice, *(f"{voice}{variant}" for variant in _VARIANTS), *WAKE_VOICES)


async def find_wake_sample(unit: UnitUnderTest, engine: WakeWords, word: WakeWordSettings) -> tuple[str, bytes] | None:
    """A voice, and the word spoken by it at `EAR_RATE`, that its engine recognises without the air in between.

    None where it recognises no voice. Raises `EngineUnavailable` without espeak-ng.
    """
    for voice in voices_of(word, unit.persona):
        speech = unit.persona.model_copy(update={"speech": PersonaVoice(espeak=voice)})
        speaks: Synthesizer = await run_in_thread(
            partial(plugins.build_engine, "synthesizers", "espeak", unit.device, speech)
        )
        try:
            said = await speaks.synthesize(wake_words.spoken(word))
        finally:
            await speaks.close()
        pcm = resample(said.pcm, speaks.rate, EAR_RATE)
        engine.reset()
        quiet = bytes(EAR_RATE // 2 * SAMPLE_BYTES)
        whole = quiet + pcm + 2 * quiet
        pieces = (
            AudioFrame(whole[at : at + 2 * _PIECE], at // SAMPLE_BYTES) for at in range(0, len(whole), 2 * _PIECE)
        )
        if word.name in [engine.detect(piece, speaking=True) for piece in pieces]:
            return voice, pcm
    return None
