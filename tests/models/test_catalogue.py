"""The list of models: what it says, and what it finds on the unit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion.errors import ConfigError, EngineUnavailable
from companion.models.catalogue import find_installed, find_model, models_folder, read_catalogue

VOSK, PIPER = "vosk-model-small-de-0.15", "de_DE-thorsten-medium"


def vosk(folder: Path, name: str) -> Path:
    place = folder / "vosk" / name
    place.mkdir(parents=True)
    return place


def piper(folder: Path, name: str) -> Path:
    place = folder / "piper" / f"{name}.onnx"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"")
    Path(f"{place}.json").write_bytes(b"")
    return place


def test_every_persona_language_has_a_voice_and_the_big_ones_a_transcriber() -> None:
    languages: dict[str, set[str]] = {"vosk": set(), "piper": set()}
    for model in read_catalogue():
        languages[model.kind].add(model.language)
    assert {"en", "zh", "ja", "id", "de", "fr", "es"} <= languages["piper"]
    assert {"en", "zh", "ja", "de", "fr", "es"} <= languages["vosk"]


def test_the_list_is_in_good_order() -> None:
    for model in read_catalogue():
        assert model.licence
        assert 100 < model.memory_mb < 1000
        for file in model.files:
            assert file.address.startswith("https://")
            assert model.name in file.name
            assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
    assert find_model(read_catalogue(), "id_ID-news_tts-medium").size is None


def test_a_model_is_found_by_language(tmp_path: Path) -> None:
    assert find_installed("vosk", "de", tmp_path) is None
    assert find_installed("piper", "de", tmp_path) is None
    assert find_installed("vosk", "de", tmp_path / "nowhere") is None
    heard, said = vosk(tmp_path, VOSK), piper(tmp_path, PIPER)
    assert find_installed("vosk", "de", tmp_path) == heard
    assert find_installed("piper", "de", tmp_path) == said
    assert find_installed("vosk", "en", tmp_path) is None


def test_the_first_of_the_list_counts_and_others_by_their_names(tmp_path: Path) -> None:
    vosk(tmp_path, "vosk-model-small-en-gb-0.15")
    vosk(tmp_path, "vosk-model-cn-0.22")
    assert find_installed("vosk", "en", tmp_path) == tmp_path / "vosk" / "vosk-model-small-en-gb-0.15"
    best = vosk(tmp_path, "vosk-model-small-en-us-0.15")
    assert find_installed("vosk", "en", tmp_path) == best
    assert find_installed("vosk", "zh", tmp_path) == tmp_path / "vosk" / "vosk-model-cn-0.22"
    assert find_installed("piper", "sv", tmp_path) is None
    assert find_installed("piper", "sv", tmp_path) != piper(tmp_path, "sv_SE-nst-medium")
    assert find_installed("piper", "sv", tmp_path) is not None


def test_half_a_voice_is_none(tmp_path: Path) -> None:
    Path(f"{piper(tmp_path, PIPER)}.json").unlink()
    assert find_installed("piper", "de", tmp_path) is None


def test_the_usual_folder_is_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    assert models_folder() == tmp_path / "models"


def test_a_wrong_name_gets_the_nearest_one() -> None:
    with pytest.raises(EngineUnavailable, match=VOSK):
        find_model(read_catalogue(), "vosk-model-small-de")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "model = 3",
        "[[model]]\nname = 'x'",
        "[[model]]\nname='../x'\nkind='vosk'\nlanguage='en'\nlicence='?'\nmemory_mb=1\n[[model.file]]\naddress='https://h/x.zip'",
        "[[model]]\nname='x'\nkind='vosk'\nlanguage='en'\nlicence='?'\nmemory_mb=1\n[[model.file]]\naddress='file:///x.zip'",
        "[[model]]\nname='x'\nkind='tape'\nlanguage='en'\nlicence='?'\nmemory_mb=1\n[[model.file]]\naddress='https://h/x.zip'",
        "[[model]]\nname='x'\nkind='vosk'\nlanguage='en'\nlicence='?'\nmemory_mb=1\n[[model.file]]\naddress='https://h/..'",
    ],
)
def test_a_list_that_cannot_be_right_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="no catalogue"):
        read_catalogue(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_catalogue(tmp_path / "missing.toml")
