"""What the unit needs and this machine has: speech recognition, voice, outputs, context.

Nothing is built or loaded: each adapter's `check` looks whether its library, its model and its voice are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from companion import plugins
from companion.config.device import Device
from companion.config.persona import Persona, PersonaVoice
from companion.config.wording import nearest
from companion.ears import echo_canceller
from companion.errors import CompanionError, ConfigError, EngineUnavailable
from companion.examination.findings import Remark, Severity, error, missing, warning
from companion.languages.language import language
from companion.mind.context import BUILT_IN
from companion.models.catalogue import Kind, read_catalogue
from companion.plugins import BEST_SYNTHESIZERS, BEST_TRANSCRIBERS, Group
from companion.voice.synthesizer_espeak import knows_voice


def engine_remarks(device: Device, persona: Persona) -> Iterator[Remark]:
    """What of the unit cannot work on this machine."""
    yield from named("speech_detectors", device.ears.endpoint.engine, "ears.endpoint.engine", device, persona)
    if device.ears.endpoint.turn_model is not None:
        model = device.ears.endpoint.turn_model
        yield from named("turn_models", model, "ears.endpoint.turn_model", device, persona, severity="missing")
    yield from _echo(device)
    yield from _transcriber(device, persona)
    yield from _voice(device, persona)
    for name in device.body.outputs:
        # Without one of its bodies it talks all the same.
        yield from named("bodies", name, "body.outputs", device, persona, severity="missing")
    for name in device.context.providers:
        if name not in BUILT_IN:
            yield from named("contexts", name, "context.providers", device, persona, extra=tuple(BUILT_IN))


def voice_remarks(persona: Persona) -> Iterator[Remark]:
    """Whether espeak-ng, where it is installed, has the voices that the persona names."""
    speeches: list[tuple[tuple[str | int, ...], PersonaVoice]] = [(("speech",), persona.speech)]
    speeches += [(("cast", at, "speech"), member.speech) for at, member in enumerate(persona.cast)]
    for key, speech in speeches:
        if speech.espeak is not None and not knows_voice(speech.espeak):
            advice = "`espeak-ng --voices` lists them. Until then another voice speaks"
            text = f'espeak-ng has no voice "{speech.espeak}"; {advice}'
            yield Remark("missing", (*key, "espeak"), text, of_persona=True)


def _echo(device: Device) -> Iterator[Remark]:
    if device.ears.echo == "apm":
        try:
            echo_canceller.check()
        except EngineUnavailable as unavailable:
            yield missing("ears.echo", str(unavailable))


def _transcriber(device: Device, persona: Persona) -> Iterator[Remark]:
    settings = device.ears.transcriber
    spoken = language(persona.language).general.name
    keys = ("ears.transcriber.engine", "ears.transcriber.model", settings.model)
    works, remarks = _best("transcribers", settings.engine, BEST_TRANSCRIBERS, keys, device, persona)
    yield from remarks
    if works is None:
        advice = _pull("vosk", persona.language) or "set ears.transcriber.model to the folder of a Vosk model for it"
        text = f"nothing on this unit understands {spoken}, so it can only say that it cannot hear; {advice}"
        yield missing("ears.transcriber.engine", text)


def _voice(device: Device, persona: Persona) -> Iterator[Remark]:
    settings = device.voice
    keys = ("voice.engine", "voice.model", settings.model)
    # A wrong voice of espeak-ng is told as such, and the language's own one is taken instead.
    plain = persona.model_copy(update={"speech": persona.speech.model_copy(update={"espeak": None})})
    works, remarks = _best("synthesizers", settings.engine, BEST_SYNTHESIZERS, keys, device, plain)
    yield from remarks
    if works is None:
        yield error("voice.engine", "there is no voice on this unit; install espeak-ng (apt install espeak-ng)")
    elif works == "espeak" and (unread := language(persona.language).general.voices.espeak_unread):
        spoken = language(persona.language).general.name
        pull = _pull("piper", persona.language) or "name a Piper voice as voice.model, or take a voice engine for it"
        yield warning("voice.engine", f"espeak-ng cannot read {unread} and says nonsense for them in {spoken}; {pull}")


def _best(
    group: Group,
    wanted: str,
    order: Sequence[str],
    keys: tuple[str, str, Path | None],
    device: Device,
    persona: Persona,
) -> tuple[str | None, list[Remark]]:
    """The engine that will be used, and what is to be said of the wanted one; None where there is none."""
    engine_key, model_key, model = keys
    reasons: dict[str, str] = {}
    for name in plugins.candidates(wanted, order):
        try:
            plugins.check_engine(group, name, device, persona)
        except ConfigError as problem:
            return name, [error(engine_key, str(problem))]
        except EngineUnavailable as problem:
            reasons[name] = str(problem)
            continue
        instead = f"; {name} is used instead"
        if wanted in reasons:
            return name, [missing(engine_key, f"{reasons[wanted].rstrip('.')}{instead}")]
        if model is not None and order[0] in reasons:
            return name, [missing(model_key, f"{reasons[order[0]].rstrip('.')}{instead}")]
        return name, []
    if model is not None:
        return None, [missing(model_key, reasons[order[0]])]
    return None, [missing(engine_key, reasons[wanted])] if wanted in reasons else []


def named(
    group: Group,
    name: str,
    key: str,
    device: Device,
    persona: Persona,
    *,
    severity: Severity = "error",
    extra: tuple[str, ...] = (),
) -> Iterator[Remark]:
    """Whether the engine of that name can be built."""
    if ":" not in name and name not in plugins.names(group):
        yield error(key, f'there is no "{name}"; {nearest(name, (*plugins.names(group), *extra))}')
        return
    try:
        plugins.check_engine(group, name, device, persona)
    except CompanionError as problem:
        found: Severity = "error" if isinstance(problem, ConfigError) else severity
        yield Remark(found, tuple(key.split(".")), str(problem))


def _pull(kind: Kind, code: str) -> str:
    """The advice to fetch a model of the language; empty where the catalogue has none."""
    names = [model.name for model in read_catalogue() if model.kind == kind and model.language == code]
    return f"fetch a model: companion models pull {names[0]}" if names else ""
