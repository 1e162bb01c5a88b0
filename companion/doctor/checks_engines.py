"""Station test: models and engines. Each engine is built as in the product, and the voice speaks to the transcriber."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from companion import plugins
from companion.doctor.check import CheckContext, UnitUnderTest, run_in_thread
from companion.doctor.checks_wake import build_words
from companion.doctor.report import CheckResult, Measurement, failed, passed, skipped
from companion.ears.wake_words import WakeWords
from companion.errors import ConfigError, EngineUnavailable
from companion.events import EAR_RATE
from companion.languages.language import language
from companion.models.catalogue import read_catalogue
from companion.models.store import verify
from companion.plugins import BEST_SYNTHESIZERS, BEST_TRANSCRIBERS
from companion.ports import Synthesizer, Transcriber
from companion.sound.pcm import resample

PULL_ADVICE = "Fetch the models anew: companion models remove NAME, then companion models pull NAME."
INSTALL_ADVICE = "Install what is missing, or name another engine or model in the device file."


async def check_models(context: CheckContext) -> CheckResult:
    """Whether the downloaded models are complete and unchanged."""
    return await run_in_thread(partial(_models, context.state / "models"))


def _models(folder: Path) -> CheckResult:
    there = [model for model in read_catalogue() if model.is_installed(folder)]
    begun = sorted(path.name for path in (folder / "parts").glob("*") if not path.name.endswith(".origin"))
    problems = [problem for model in there for problem in verify(model, folder)]
    names = ", ".join(model.name for model in there)
    if problems:
        return failed("\n".join(problems), PULL_ADVICE, models=names)
    if begun:
        return failed(f"half a download lies in {folder / 'parts'}: {', '.join(begun)}", PULL_ADVICE, models=names)
    if not there:
        return skipped("none was fetched; the engines that came with the program, or those the device file names, work")
    return passed(f"{names}: whole and unchanged", models=names)


async def check_engines(unit: UnitUnderTest) -> CheckResult:
    """Whether each engine that the unit needs can be built, the voice makes a sound, and the transcriber runs."""
    device, persona, ears = unit.device, unit.persona, unit.device.ears
    used: dict[str, Measurement] = {}
    problems: list[str] = []

    async def built(place: str, build: Callable[..., Any], *named: Any) -> Any:
        try:
            engine = await run_in_thread(partial(build, *named, device, persona))
        except (EngineUnavailable, ConfigError) as error:
            problems.append(f"{place}: {error}")
            return None
        used[place] = ", ".join(getattr(engine, "words", ())) or str(getattr(engine, "name", None) or named[1])
        return engine

    if ears.wake.mode != "button":
        words: WakeWords | None = await built("wake_word", build_words)
        if words is not None:
            words.close()
    await built("speech_detector", plugins.build_engine, "speech_detectors", ears.endpoint.engine)
    transcriber: Transcriber | None = await built(
        "transcriber", plugins.build_best, "transcribers", ears.transcriber.engine, BEST_TRANSCRIBERS
    )
    voice: Synthesizer | None = await built(
        "voice", plugins.build_best, "synthesizers", device.voice.engine, BEST_SYNTHESIZERS
    )
    async with AsyncExitStack() as stack:
        sound = b""
        if voice is not None:
            stack.push_async_callback(voice.close)
            said = await voice.synthesize(language(persona.language).general.sample)
            sound = resample(said.pcm, voice.rate, EAR_RATE)
            if not any(sound):
                problems.append(f"voice: {used['voice']} makes no sound")
        if transcriber is not None:
            stack.push_async_callback(transcriber.close)
            await transcriber.start()
            piece = 2 * EAR_RATE // 5
            for at in range(0, len(sound), piece):
                await transcriber.feed(sound[at : at + piece])
            used["words_heard"] = len((await transcriber.finish()).text.split())
    told = ", ".join(f"{place.replace('_', ' ')} {name}" for place, name in used.items() if place != "words_heard")
    if problems:
        return failed("\n".join(problems), INSTALL_ADVICE, **used)
    return passed(told, **used)
