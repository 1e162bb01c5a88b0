"""What the owner of one unit has decided, kept in `owner-settings.toml` in its state folder.

The owner's page and `companion owner` write it; the running unit reads it at its start and when it has changed. A key
that is absent leaves the decision to the policy, the device file or the persona. Over the hours of talk and the volume
the owner decides, for they are the guardian; nothing here loosens a policy's filter, truth, consent or loudness.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from companion.config.loading import Settings, TimeSpan, read_settings, to_toml
from companion.config.policy import TimeRules
from companion.config.wording import explain
from companion.errors import ConfigError, DeviceError
from companion.storage import PRIVATE, create_private_folder, write_atomically

OWNER_SETTINGS_FILE: Final = "owner-settings.toml"


class Consent(Settings):
    """That a guardian has agreed to the talk."""

    at: datetime
    """When."""
    by: Annotated[str, Field(min_length=1, max_length=100)]
    """Who, in their own words: "Mum", or a name."""


class OwnerSettings(Settings):
    """The owner's decisions. None: not decided."""

    minutes_a_day: int | None = Field(default=None, ge=0, le=1440)
    """Minutes of talk a day; 1440 for no limit."""
    break_after_minutes: int | None = Field(default=None, ge=1, le=1440)
    """Minutes of talk without a pause until a break; 1440 for none."""
    bedtime: TimeSpan | None = None
    """Local hours in which it does not talk; "" for none."""
    volume: float | None = Field(default=None, ge=0, le=1)
    """Volume from 0 to 1; the policy's loudest level holds all the same."""
    keep_words: bool | None = None
    """Whether the words of what was blocked are kept for the owner."""
    persona: str | None = Field(default=None, min_length=1, max_length=200)
    """The persona, by the name that `companion control reload --persona` takes."""
    consent: Consent | None = None
    """None: no guardian has agreed, or they have taken it back."""

    def time_rules(self, rules: TimeRules) -> TimeRules:
        """A policy's rules of time with the owner's decisions in their place."""
        decided = {name: getattr(self, name) for name in ("minutes_a_day", "break_after_minutes", "bedtime")}
        return rules.model_copy(update={name: value for name, value in decided.items() if value is not None})


def read_owner_settings(folder: Path) -> OwnerSettings:
    """What the owner has decided; nothing where there is no file yet. Blocks. Raises `ConfigError`."""
    path = folder / OWNER_SETTINGS_FILE
    return read_settings(path, OwnerSettings) if path.exists() else OwnerSettings()


def change_owner_settings(folder: Path, **changes: object) -> OwnerSettings:
    """Decide anew, or no longer (None), and keep it: it is on the disk when this returns. Blocks.

    Raises `ConfigError` for a value that is none, which changes nothing, and `DeviceError` where it cannot be written.
    """
    tables: dict[str, Any] = read_owner_settings(folder).model_dump() | changes
    try:
        decided = OwnerSettings.model_validate(tables)
    except ValidationError as error:
        raise ConfigError(
            [f"{'.'.join(map(str, one['loc']))}: {explain(one, OwnerSettings)}" for one in error.errors()]
        ) from error
    path = folder / OWNER_SETTINGS_FILE
    try:
        create_private_folder(folder)
        write_atomically(path, to_toml(decided.model_dump(mode="json")).encode(), PRIVATE)
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({error.strerror or error}): nothing was changed.") from error
    return decided


class KeptOwnerSettings:
    """The owner's decisions as the running unit sees them: read anew once the file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: object = ""
        self._settings = OwnerSettings()
        self.trouble = ""
        """Why the file cannot be used; what was decided before holds meanwhile. Empty while all is well."""

    def now(self) -> OwnerSettings:
        """What holds now. Blocks for a look at the file, and for a millisecond where it has changed."""
        try:
            found = (self._folder / OWNER_SETTINGS_FILE).stat()
            seen: object = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            seen = None
        if seen != self._seen:
            self._seen = seen
            try:
                self._settings, self.trouble = read_owner_settings(self._folder), ""
            except ConfigError as error:
                self.trouble = str(error)
        return self._settings
