"""`companion provision` never calls well what `companion check` and `companion run` complain about."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.provision import provision
from tests.support.paths import CONFIGS

TEDDY = CONFIGS / "personas" / "teddy.toml"


@pytest.fixture(autouse=True)
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Those that the unit itself has count, not those of whoever provisions it.
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))


def report(folder: Path, card: str, *options: str) -> str:
    (folder / "companion.toml").write_text(f'key = "sk-4f1c9a7e2b8d4c6f"\n{card}', encoding="utf-8")
    done = CliRunner().invoke(provision, ["--boot", str(folder), "--state", str(folder / "state"), *options])
    assert done.exit_code in (0, 78), done.output
    assert ("TO DO" in done.output) == (done.exit_code == 78)
    return " ".join(done.output.split())


def test_english_is_understood_without_any_model(tmp_path: Path) -> None:
    assert "ALL IS WELL" in report(tmp_path, "")


@pytest.mark.parametrize("card", ['persona = "go_prodigy"\n', 'language = "zh"\n'])
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_language_that_nothing_here_understands_is_something_to_do(
    tmp_path: Path, card: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "models" / "vosk" / "vosk-model-small-cn-0.22" / "am").mkdir(parents=True)
    told = report(tmp_path, card, *options)
    assert "ALL IS WELL" not in told
    assert "nothing on this unit understands Chinese" in told
    assert "companion models pull vosk-model-small-cn-0.22" in told


def test_the_models_that_count_are_those_of_the_unit(tmp_path: Path) -> None:
    model = tmp_path / "state" / "models" / "vosk" / "vosk-model-small-cn-0.22" / "am"
    model.mkdir(parents=True)
    (model / "final.mdl").write_bytes(b"a model")
    assert "ALL IS WELL" in report(tmp_path, 'language = "zh"\n')


def test_what_is_odd_in_a_persona_of_ones_own_is_noted(tmp_path: Path) -> None:
    text = TEDDY.read_text("utf-8").replace("offline = [", 'offline = ["(sighs) No net.", ', 1)
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    told = report(tmp_path, 'persona = "mine"\n')
    assert "ALL IS WELL" in told
    assert "- lines.offline: (sighs) is a stage direction" in told
