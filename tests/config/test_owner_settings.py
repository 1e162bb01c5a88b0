"""What the owner decides is kept, and what is no decision changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from companion.config.policy import TimeRules
from companion.errors import ConfigError, DeviceError
from companion.owner_settings import (
    OWNER_SETTINGS_FILE,
    Consent,
    KeptOwnerSettings,
    OwnerSettings,
    change_owner_settings,
    read_owner_settings,
)

CONSENT = Consent(at=datetime(2026, 3, 1, 18, 30, tzinfo=UTC), by='Mum "Ä"')


def test_nothing_is_decided_at_first(tmp_path: Path) -> None:
    assert read_owner_settings(tmp_path) == OwnerSettings()


def test_decisions_are_kept_and_added_to(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    change_owner_settings(folder, minutes_a_day=30, bedtime="", consent=CONSENT)
    change_owner_settings(folder, volume=0.5)
    assert read_owner_settings(folder) == OwnerSettings(minutes_a_day=30, bedtime="", volume=0.5, consent=CONSENT)
    change_owner_settings(folder, consent=None)
    assert read_owner_settings(folder).consent is None
    assert (folder / OWNER_SETTINGS_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "wrong",
    [{"minutes_a_day": -1}, {"bedtime": "late"}, {"volume": 7}, {"persona": ""}, {"colour": 1}, {"consent": {}}],
)
def test_what_is_no_decision_changes_nothing(tmp_path: Path, wrong: dict[str, object]) -> None:
    change_owner_settings(tmp_path, minutes_a_day=30)
    with pytest.raises(ConfigError) as refused:
        change_owner_settings(tmp_path, **wrong)
    assert next(iter(wrong)) in str(refused.value)
    assert "pydantic" not in str(refused.value)
    assert read_owner_settings(tmp_path) == OwnerSettings(minutes_a_day=30)


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(DeviceError, match="nothing was changed"):
        change_owner_settings(tmp_path / "state", volume=0.5)


def test_the_owner_decides_over_the_hours() -> None:
    rules = TimeRules(minutes_a_day=90, break_after_minutes=30, break_minutes=15, bedtime="20:00-07:00")
    decided = OwnerSettings(minutes_a_day=120, bedtime="").time_rules(rules)
    assert decided == TimeRules(minutes_a_day=120, break_after_minutes=30, break_minutes=15, bedtime="")


def test_a_running_unit_sees_changes_and_outlives_a_broken_file(tmp_path: Path) -> None:
    kept = KeptOwnerSettings(tmp_path)
    assert kept.now() == OwnerSettings()
    change_owner_settings(tmp_path, minutes_a_day=30)
    assert kept.now().minutes_a_day == 30
    (tmp_path / OWNER_SETTINGS_FILE).write_text("minutes_a_day = soon")
    assert kept.now().minutes_a_day == 30
    assert OWNER_SETTINGS_FILE in kept.trouble
    change = {"minutes_a_day": 20}
    (tmp_path / OWNER_SETTINGS_FILE).unlink()
    change_owner_settings(tmp_path, **change)
    assert kept.now().minutes_a_day == 20
    assert not kept.trouble
