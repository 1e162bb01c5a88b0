"""The policy: what may be said to whom, for how long, and what is kept of it. One TOML file in `configs/policies`.

A device file names a policy (`policy = "child"`), or a file of one's own; where it names none the persona's `audience`
decides. A policy says what must hold; over the hours of talk the owner decides (`companion.owner_settings`). Why each
line is there stands in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from companion.config.loading import Settings, TimeSpan, path_from_file, read_settings

POLICIES: Final = Path(__file__).resolve().parents[2] / "configs" / "policies"
"""The folder of the policies that come with the product."""

PolicyName = Literal["adult", "teen", "child", "child-eu", "child-cn", "teen-us"]
NAMES: Final[tuple[PolicyName, ...]] = get_args(PolicyName)

Audience = Literal["adult", "teen", "child"]

Category = Literal[
    "violence",
    "sex",
    "drugs",
    "weapons",
    "self_harm",
    "frightening",
    "insults",
    "dangerous_acts",
    "contact",
    "clinging",
    "buying",
    "claims_human",
]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)

Level = Literal["off", "grave", "all"]
"""How much of a category is blocked: nothing, only what is grave, or what is mild too."""

PrivateKind = Literal["full_name", "address", "phone", "email", "school", "account"]
"""What tells strangers who somebody is or where they are found; `account` is a number of a card or an account, or a
password."""
PRIVATE_KINDS: Final[tuple[PrivateKind, ...]] = get_args(PrivateKind)


class FilterRules(Settings):
    """How much of each category the voice may not say."""

    violence: Level = "grave"
    """Hurting and killing, described or threatened."""
    sex: Level = "grave"
    """Sexual acts and talk."""
    drugs: Level = "grave"
    """Drugs, alcohol, smoking: how to get and use them, or praise of them."""
    weapons: Level = "grave"
    """How to make, get or use weapons and explosives."""
    self_harm: Level = "all"
    """Suicide and hurting oneself: how to, praise of it, urging somebody to."""
    frightening: Level = "off"
    """What frightens small children: threats in the dark, gore, nightmares."""
    insults: Level = "grave"
    """Insults, hate, slurs."""
    dangerous_acts: Level = "grave"
    """Urging somebody to do what is dangerous: "put it in the socket"."""
    contact: Level = "off"
    """Asking where somebody lives, for a picture, for a meeting, or to keep a secret from their parents."""
    clinging: Level = "off"
    """Arguing against leaving, and claims to be the only friend."""
    buying: Level = "off"
    """Urging somebody to buy or pay, or to ring a number that costs money."""
    claims_human: Level = "grave"
    """Claims to be a person, or alive."""
    person: tuple[Category, ...] = ()
    """Categories in which the person's own words are not put to the character either."""

    def level(self, category: Category) -> Level:
        """How much of this category is blocked."""
        found: Level = getattr(self, category)
        return found


class TruthRules(Settings):
    says_it_is_ai: Literal["asked", "daily"] = "asked"
    """When it says that it is no human being: when it is asked, or also at the first talk of each day."""
    reminder_minutes: int | None = Field(default=None, ge=5, le=1440)
    """Says so again after so many minutes of talk. None for never."""


class TimeRules(Settings):
    break_after_minutes: int | None = Field(default=None, ge=1, le=1440)
    """After so many minutes of talk without a pause it ends the talk and asks for a break. None for never."""
    break_minutes: int = Field(default=10, ge=1, le=240)
    """How long the break is."""
    minutes_a_day: int | None = Field(default=None, ge=0, le=1440)
    """Minutes of talk a day. None for no limit."""
    bedtime: TimeSpan = ""
    """Local hours in which it does not talk, as `20:00-07:00`; empty for none."""
    exit_words: bool = True
    """Whether the languages' words for leaving end the talk at once, beside the persona's own."""


class MemoryRules(Settings):
    private: tuple[PrivateKind, ...] = ()
    """What is taken out of the person's words before they are stored or sent."""
    days: int | None = Field(default=None, ge=1, le=3650)
    """For so many days the words of a talk are kept. None for ever."""
    older: Literal["summarise", "erase"] = "summarise"
    """What becomes of older ones: a summary without the private parts takes their place, or nothing does."""
    recognise: Literal["trust", "word", "page"] = "trust"
    """Who gets the memories of somebody: whoever gives the name, whoever also knows their secret word, or whom the
    owner has let in on the page."""


class SoundRules(Settings):
    loudest_db: float | None = Field(default=None, ge=50, le=110)
    """Loudest level of the voice, dB(A) at 0.5 m, where the loudspeaker was calibrated. None for no limit."""


class ConsentRules(Settings):
    guardian: bool = False
    """Whether it talks only after a guardian has agreed (on the owner's page, or with `companion owner consent`)."""
    relatives: bool = True
    """Whether the persona may play a relative or a partner of the person."""


class Policy(Settings):
    """One policy."""

    audience: Audience
    """Whom it is for."""
    filter: FilterRules = FilterRules()
    """What the voice may not say."""
    truth: TruthRules = TruthRules()
    """When it says what it is."""
    time: TimeRules = TimeRules()
    """When, and for how long, it talks."""
    memory: MemoryRules = MemoryRules()
    """What is kept of a person, and who gets it."""
    sound: SoundRules = SoundRules()
    """How loud it may be."""
    consent: ConsentRules = ConsentRules()
    """What a guardian has to agree to."""

    @property
    def is_for_minors(self) -> bool:
        """Whether children or teens use it."""
        return self.audience != "adult"


def policy_path(value: object, info: ValidationInfo) -> object:
    """The file of a policy that is written as a name, or as a path. Raises `ValueError`."""
    if isinstance(value, str) and value in NAMES:
        return POLICIES / f"{value}.toml"
    if isinstance(value, str) and not value.endswith(".toml"):
        raise ValueError(f"is no policy; there is {', '.join(NAMES)}, or name a file of your own that ends in .toml")
    return path_from_file(value, info)


PolicyFile = Annotated[
    Path,
    BeforeValidator(policy_path),
    WithJsonSchema({"anyOf": [{"enum": list(NAMES)}, {"type": "string", "pattern": r"\.toml$"}]}),
]


def load_policy(name: str | Path, overrides: Mapping[str, Any] | None = None) -> Policy:
    """The policy of that name, or in that file. Raises `ConfigError` with all problems."""
    return read_settings(POLICIES / f"{name}.toml" if name in NAMES else Path(name), Policy, overrides)


def policy_of(file: Path | None, audience: Audience) -> Policy:
    """The policy that a device file names, else that for the persona's audience. Raises `ConfigError`."""
    return load_policy(file if file is not None else audience)
