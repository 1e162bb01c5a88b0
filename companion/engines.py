"""The engines of one unit, and what takes the place of one that is missing. For `app` alone.

Each is built from the device file and the persona. With a sound card (`live`) a unit works without what is missing, and
the sentence that says so goes into `missing`; where the sound is a file, it is an error.
"""

from __future__ import annotations

import logging
import random
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from companion import plugins
from companion.animator import Animator
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.config.device import Device
from companion.config.hours import in_hours
from companion.config.persona import CastMember, Persona
from companion.config.policy import Policy
from companion.ears import wake_words as wake
from companion.ears.no_transcriber import NoTranscriber
from companion.ears.turn_judge import TurnJudge
from companion.ears.wake_words import WakeWords
from companion.errors import ConfigError, EngineUnavailable
from companion.event_log import EventLog
from companion.owner_settings import KeptOwnerSettings, OwnerSettings
from companion.plugins import BEST_TRANSCRIBERS
from companion.ports import Body, Clock, Synthesizer, Transcriber
from companion.storage import state_folder
from companion.talk_time import TalkTime, now_of_file, now_of_unit
from companion.voice_enrolment import Ears, VoiceEnrolment

if TYPE_CHECKING:
    from companion.guard_model import GuardModel
    from companion.mind.memory.guard_records import GuardRecords

log = logging.getLogger("companion")


def wake_words(device: Device, persona: Persona, event_log: EventLog, missing: list[str] | None) -> WakeWords | None:
    """The words that wake it; None where only the button does. Raises `ConfigError` and `EngineUnavailable`."""
    if device.ears.wake.mode == "button":
        return None
    wake.check(device, persona)
    for sentence in wake.not_used(device.ears.wake):
        log.warning("%s", sentence)
    return WakeWords(
        device.ears.wake,
        lambda engine: plugins.build_engine("wake_words", engine, device, persona),
        lambda sentence: event_log.record("error", code="engine", sentence=sentence),
        missing,
    )


def voice_enrolment(device: Device, persona: Persona, words: WakeWords | None, event_log: EventLog) -> VoiceEnrolment:
    """What lets the words learn a voice; its own engines are built when somebody asks for that."""
    from companion.ears.wake_custom.embeddings import Networks

    endpoint = device.ears.endpoint
    return VoiceEnrolment(
        () if words is None else device.ears.wake.heard_by("embedding"),
        lambda: Ears(plugins.build_engine("speech_detectors", endpoint.engine, device, persona), endpoint),
        Networks,
        lambda word: None if words is None else words.renew(word),
        lambda error: event_log.record("error", code=error.code, sentence=str(error)),
    )


def transcriber(device: Device, persona: Persona, missing: list[str], *, live: bool) -> Transcriber:
    wanted, order = device.ears.transcriber.engine, BEST_TRANSCRIBERS
    try:
        found: Transcriber = plugins.build_best("transcribers", wanted, order, device, persona, or_another=live)
    except EngineUnavailable as error:
        if not live:
            raise
        missing.append(f"It cannot hear what is said. {error}")
        found = NoTranscriber(str(error))
    return found


def turn_judge(
    device: Device, persona: Persona, transcriber: Transcriber, missing: list[str], *, live: bool
) -> TurnJudge | None:
    """What also hears when a turn is over, where the device file names it; it talks without it, too."""
    name = device.ears.endpoint.turn_model
    try:
        return TurnJudge(transcriber, plugins.build_engine("turn_models", name, device, persona)) if name else None
    except EngineUnavailable as error:
        if not live:
            raise
        missing.append(str(error))
    return None


def voice_of(member: CastMember, device: Device, persona: Persona, rate: int, *, or_another: bool) -> Synthesizer:
    """The voice of another one of a group."""
    speaking = persona.model_copy(update={"speech": member.speech})
    voice = plugins.build_synthesizer(device, speaking, or_another=or_another)
    if voice.rate != rate:
        raise ConfigError(
            f"{member.name}: the voice makes {voice.rate} samples a second and that of {persona.name} {rate}: "
            "take two voices of the same kind"
        )
    return voice


async def talk_time(device: Device, clock: Clock, records: GuardRecords, missing: list[str], *, live: bool) -> TalkTime:
    """What counts the time of talk. With a sound card it is kept; with files the time is that of the sound."""
    state = _state_folder()
    owner = KeptOwnerSettings(state) if state is not None else None
    decided = OwnerSettings if owner is None else owner.now
    decided()
    if owner is not None and owner.trouble:
        missing.append(f"{owner.trouble}: what the owner decided there does not hold.")
    if not live:
        return TalkTime(now_of_file(clock.now), decided, knows_days=False)
    now = now_of_unit
    return TalkTime(
        now, decided, device.memory.folder or state, records.add_talk, await records.talk_of(now().wall.date())
    )


def _state_folder() -> Path | None:
    try:
        return state_folder()
    except RuntimeError:
        return None


def second_judge(device: Device, policy: Policy, closing: AsyncExitStack) -> GuardModel | None:
    """The second model that judges sentences, where the device file names one. Raises `ConfigError` for its key."""
    if device.guard.base_url is None:
        return None
    from companion.guard_model import GuardModel

    model = GuardModel(device.guard, policy)
    closing.push_async_callback(model.close)
    return model


def animator(
    device: Device, live: bool, watched: bool, clock: Clock, bodies: list[Body], event_log: EventLog
) -> Animator:
    """What moves the body. `live`: with a sound card; `watched`: somebody looks on, though it is a file."""
    body = device.body
    performer = Performer(
        load_choreography(body.choreography),
        body.channels,
        # The same file gives the same frames.
        seed=random.getrandbits(32) if live else 0,
        idle_life=body.idle_life and (live or watched),
        current_ma=body.current_ma,
    )

    def brightness() -> float:
        return body.night_brightness if in_hours(body.night, datetime.now().time()) else 1.0

    return Animator(performer, bodies, clock, event_log, brightness if live and body.night else None)
