"""The character service: address, model, key and lengths, held against what is published of the service.

Asks nobody. What only the service can tell, `companion doctor` finds out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

from companion.child_environment import KEY_VARIABLE
from companion.config.character import KEY_EXPOSED, CharacterSettings, exposes_key
from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wording import nearest
from companion.errors import ConfigError
from companion.examination.findings import Remark, error, note, warning
from companion.mind.api import models
from companion.mind.api.key import CREDENTIAL, find_key
from companion.mind.api.models import is_own_host
from companion.mind.tokens import MESSAGE_TOKENS, estimate_text_tokens


def character_remarks(device: Device, persona: Persona, *, has_key: bool | None = None) -> Iterator[Remark]:
    """What is wrong with `[character]`.

    `has_key`: whether the unit has a key, where that is kept where this process does not look; None: look for it.
    """
    settings = device.character
    if settings.emulator == "always":
        return
    yield from _address(settings)
    base_url = settings.base_url or models.base_url(settings.region, settings.protocol)
    if is_own_host(base_url):
        yield from _model(settings)
    if has_key is None:
        has_key = yield from _key(settings, wanted=is_own_host(base_url))
    if exposes_key(base_url):
        sentence = f"a unit with a key refuses this address, because it {KEY_EXPOSED}"
        yield error("character.base_url", KEY_EXPOSED) if has_key else note("character.base_url", sentence)
    if has_key or not is_own_host(base_url):
        yield from _connection(settings, base_url)
    model = models.find(settings.model, settings.region)
    if model.most_output is not None and settings.max_tokens > model.most_output:
        text = f"{settings.model} gives {model.most_output} tokens at most; write that or less"
        yield warning("character.max_tokens", text)
    if model.most_input is not None:
        yield from _lengths(persona, model.most_input)
    # As in `mind.api.capabilities`: the list of banned tokens is that of one vocabulary.
    if persona.cues.channel == "emoji" and not is_own_host(base_url) and "qwen" not in settings.model.casefold():
        text = (
            f'is "emoji", for which the model must not write brackets, and {settings.model} cannot be kept from it; '
            'write "directions" or "inferred"'
        )
        yield Remark("warning", ("cues", "channel"), text, of_persona=True)


def _address(settings: CharacterSettings) -> Iterator[Remark]:
    if settings.base_url is None:
        return
    parts = urlsplit(settings.base_url)
    path = parts.path.rstrip("/")
    if not parts.hostname:
        yield error("character.base_url", "names no host; write it as http://host:port/v1, or leave it out")
        return
    if not is_own_host(settings.base_url):
        return
    other = "dashscope" if settings.protocol == "openai" else "openai"
    if ("/compatible-mode" in path) is (settings.protocol == "dashscope") and path:
        right = models.base_url(settings.region, settings.protocol)
        yield error(
            "character.protocol",
            f'is "{settings.protocol}" and the address is of the other route; write "{other}", or {right} as the '
            "address, or leave base_url out",
        )
    other_region: models.Region = "china" if settings.region == "international" else "international"
    if parts.hostname == urlsplit(models.base_url(other_region, settings.protocol)).hostname:
        yield warning(
            "character.region",
            f'is "{settings.region}" and the address is of "{other_region}", so limits, prices and the spending cap '
            f'are those of the wrong region; write "{other_region}", or leave base_url out',
        )


def _model(settings: CharacterSettings) -> Iterator[Remark]:
    regions = models.regions_of(settings.model)
    if not regions:
        text = (
            f"{settings.model} is not among the service's models that this version knows, so limits, prices and the "
            f"spending cap are unknown; {nearest(settings.model, models.names())}"
        )
        yield warning("character.model", text)
    elif settings.region not in regions:
        sold = [name for name in models.names() if settings.region in models.regions_of(name)]
        text = f"{settings.model} is sold in region {regions[0]}, not in {settings.region}; write {' or '.join(sold)}"
        yield error("character.model", text)


def _connection(settings: CharacterSettings, base_url: str) -> Iterator[Remark]:
    """What the connection itself refuses: names that no host can have, and certificates that cannot be read."""
    # Slow to import, and `run` needs it anyway.
    from companion.mind.api.connection import check_connection

    try:
        check_connection(base_url, settings.ca_file)
    except ConfigError as problem:
        key, _, words = str(problem).partition(": ")
        yield error(key, words)


def _key(settings: CharacterSettings, *, wanted: bool) -> Generator[Remark, None, bool]:
    """Look for the key; returns whether there is one, if only a wrong one."""
    try:
        key = find_key(settings)
    except ConfigError as problem:
        yield error("character.key_file", "; ".join(problem.problems))
        return True
    if key is None and wanted and settings.emulator == "never":
        yield error(
            "character.emulator",
            f'is "never" and there is no key; set {KEY_VARIABLE}, a systemd credential called {CREDENTIAL}, or '
            "character.key_file",
        )
    return key is not None


def _lengths(persona: Persona, most_input: int) -> Iterator[Remark]:
    """A request holds the whole profile, so a long one fails at every turn, and a fairly long one leaves no memory."""
    profiles: list[tuple[tuple[str | int, ...], str]] = [(("profile",), persona.system_message())]
    for at, member in enumerate(persona.cast):
        profile = member.profile
        sections = (profile.details, profile.description, profile.context, profile.style)
        profiles.append((("cast", at, "profile"), "\n\n".join(sections)))
    for key, text in profiles:
        tokens = estimate_text_tokens(text) + MESSAGE_TOKENS
        if tokens > most_input:
            say = f"has about {tokens} tokens and the model takes {most_input} in all; shorten it"
            yield Remark("error", key, say, of_persona=True)
        elif tokens > most_input / 2:
            say = f"has about {tokens} of the {most_input} tokens that the model takes; little is left for the talk"
            yield Remark("warning", key, say, of_persona=True)
