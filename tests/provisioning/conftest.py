"""A fresh unit, and no key from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.provisioned_unit import Unit, new_unit


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return new_unit(tmp_path)


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
