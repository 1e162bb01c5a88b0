"""`companion wakeword evaluate` on recordings of which is known what is heard in them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import wave
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

from companion.config.word_file import Card, WordFile, write
from companion.ears.wake_custom.embeddings import Networks, package_folder
from companion.ears.wake_custom.head import windows
from companion.ears.wake_custom.learning import train
from companion.errors import CompanionError
from companion.sound.pcm import resample
from tests.support.paths import ROOT
from tests.support.voices import needs_espeak

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")

from studio.cli.wakeword_evaluate import evaluate  # noqa: E402 - needs it
from studio.wakeword.positives import in_room  # noqa: E402
from studio.wakeword.sound_files import Part, UnusableSound, blocks, length_s  # noqa: E402

needs_engine = pytest.mark.skipif(package_folder() is None, reason="pyopen-wakeword is not installed")
needs_micro = pytest.mark.skipif(
    importlib.util.find_spec("pymicro_wakeword") is None, reason="pymicro-wakeword is not installed"
)
RECORDINGS = ROOT.parent / "shared" / "audio"
needs_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of ../shared are not there")

CONTEXT = 9
OTHERS = ("the weather is fine today", "please bring me a cup of tea", "one two three four five", "good evening all")


def said(text: str, pitch: int = 50) -> bytes:
    """PCM at 16 kHz of a synthetic voice."""
    command = ["espeak-ng", "--stdout", "-p", str(pitch), text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    return resample(wav[44:], 22_050, 16_000)


def save(path: Path, pcm: bytes, rate: int = 16_000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)


@pytest.fixture(scope="module")
def momo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a word that was learned from one voice: momo.ww, said/ and talk/."""
    folder = tmp_path_factory.mktemp("momo")
    (folder / "said").mkdir()
    (folder / "talk").mkdir()
    networks = Networks()
    found, is_word = [], []
    for pitch in (20, 40, 60, 80):
        pcm, end = in_room(np.frombuffer(said("hey momo", pitch), "<i2").astype(np.float32), pitch)
        save(folder / "said" / f"{pitch}.wav", said("hey momo", pitch))
        for shift in range(0, 1280, 160):
            sound = np.frombuffer(pcm, "<i2")[shift:].astype(np.float32)
            # Those embeddings that end just after the word.
            last = (end - shift + 3200 - 12_400) // 1280
            seen = windows(networks.of(sound)[: last + 1], CONTEXT)
            found += [seen[-1], *seen[:2]]
            is_word += [1.0, 0.0, 0.0]
    for at, text in enumerate(OTHERS):
        pcm, _ = in_room(np.frombuffer(said(text), "<i2").astype(np.float32), at)
        save(folder / "talk" / f"{at}.wav", said(text))
        seen = windows(networks.of(np.frombuffer(pcm, "<i2").astype(np.float32)), CONTEXT)
        found += list(seen)
        is_word += [0.0] * len(seen)
    given = np.array(found, np.float32)
    mean, scale = given.mean(0), given.std(0) + np.float32(1e-3)
    directions = np.linalg.svd((given - mean) / scale, full_matrices=False)[2][:24].T
    projected = (given - mean) / scale @ directions
    learned = train(projected, np.array(is_word, np.float32), np.ones(len(given), np.float32), 1)
    card = Card(phrase="hey momo", language="en", seconds=0.8, context=CONTEXT, threshold=0.0, threshold_alone=0.0)
    write(folder / "momo.ww", WordFile(card, {"mean": mean, "scale": scale, "directions": directions, **learned}))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(evaluate, [*map(str, arguments), "--jobs", "1"])


def on(folder: Path, *more: str | Path) -> Result:
    return run(folder / "momo.ww", "--positives", folder / "said", "--negatives", folder / "talk", *more)


@needs_espeak
@needs_engine
class TestOfAWordThatIsKnown:
    def test_every_key_tells_what_it_should(self, momo: Path) -> None:
        found = json.loads(on(momo, "--json").output)
        assert found["word"] == "hey momo"
        assert found["positives"] == 4
        assert found["missed"] == 0.0
        assert found["false_alarms_per_hour"] == 0.0
        seconds = sum(length_s(one) for one in (momo / "talk").iterdir())
        assert found["negatives_hours"] == pytest.approx(seconds / 3600, abs=0.1 / 3600)
        assert found["false_alarms_per_hour_at_most"] == pytest.approx(3 / found["negatives_hours"])
        assert found["at_one_per_hour"] is None
        assert "an hour or more" in found["at_one_per_hour_note"]
        assert 0.0 < found["cpu"] < 1.0
        assert -200 <= found["delay_ms"] <= 600
        assert [one["sensitivity"] for one in found["curve"]] == [step / 10 for step in range(11)]
        own = found["curve"][5]
        assert (own["threshold"], own["missed"]) == (found["threshold"], found["missed"])
        missed = [one["missed"] for one in found["curve"]]
        assert missed == sorted(missed, reverse=True)

    def test_the_word_in_other_talk_is_a_false_alarm(self, momo: Path, tmp_path: Path) -> None:
        save(tmp_path / "a.wav", bytes(32_000) + said("hey momo") + bytes(64_000) + said("hey momo") + bytes(32_000))
        found = json.loads(on(momo, "--negatives", tmp_path, "--json").output)
        assert found["curve"][5]["false_alarms"] == 2
        assert found["false_alarms_per_hour"] == pytest.approx(2 / found["negatives_hours"])
        assert found["false_alarms_per_hour_at_most"] is None

    def test_a_word_at_the_end_of_a_recording_is_heard_too(self, momo: Path, tmp_path: Path) -> None:
        save(tmp_path / "a.wav", said("hey momo"))
        assert json.loads(on(momo, "--negatives", tmp_path, "--json").output)["curve"][5]["false_alarms"] == 1

    def test_other_words_are_missed(self, momo: Path) -> None:
        found = json.loads(on(momo, "--positives", momo / "talk", "--json").output)
        assert (found["missed"], found["delay_ms"]) == (1.0, None)

    def test_several_processes_find_the_same(self, momo: Path) -> None:
        one = json.loads(on(momo, "--json").output)
        command = ["--positives", str(momo / "said"), "--negatives", str(momo / "talk"), "--jobs", "2", "--json"]
        two = json.loads(CliRunner().invoke(evaluate, [str(momo / "momo.ww"), *command]).output)
        assert one | {"cpu": 0} == two | {"cpu": 0}

    def test_loud_noise_hides_the_word(self, momo: Path, tmp_path: Path) -> None:
        noise = np.random.default_rng(1).normal(0, 3000, 48_000).astype("<i2").tobytes()
        save(tmp_path / "noise.wav", noise)
        loud = json.loads(on(momo, "--noise", tmp_path, "--snr", "-20", "--json").output)
        assert (loud["missed"], loud["snr_db"]) == (1.0, -20.0)

    def test_a_table_for_people(self, momo: Path) -> None:
        done = on(momo)
        assert done.exit_code == 0
        lines = done.output.splitlines()
        assert max(map(len, lines)) <= 100
        assert next(line for line in lines if "own threshold" in line).split()[0] == "0.5"
        assert any("no false alarm" in line and "(95 %)" in line for line in lines)

    def test_the_picture_has_a_title_axes_and_a_point_for_each_sensitivity(self, momo: Path, tmp_path: Path) -> None:
        assert on(momo, "--picture", tmp_path / "curve.svg").exit_code == 0
        names = {"s": "http://www.w3.org/2000/svg"}
        picture = ElementTree.parse(tmp_path / "curve.svg").getroot()
        assert "hey momo" in (picture.findtext("s:title", namespaces=names) or "")
        texts = [one.text for one in picture.findall("s:text", names)]
        assert {"missed", "false alarms in an hour"} <= set(texts)
        assert len(picture.findall("s:circle", names)) == 11

    def test_files_that_are_no_sound_are_skipped_and_told(self, momo: Path, tmp_path: Path) -> None:
        (tmp_path / "letter.wav").write_text("Dear all")
        save(tmp_path / "empty.wav", b"")
        save(tmp_path / "click.wav", bytes(200))
        save(tmp_path / "long.wav", bytes(32_000 * 31))
        save(tmp_path / "word.wav", said("hey momo"))
        done = CliRunner().invoke(
            evaluate,
            [
                *(str(momo / "momo.ww"), "--positives", str(tmp_path), "--negatives", str(momo / "talk")),
                *("--json", "--jobs", "1"),
            ],
        )
        found = json.loads(done.stdout)
        assert found["positives"] == 1
        told = "\n".join(found["skipped"])
        assert len(found["skipped"]) == 4
        for sentence in ("letter.wav: cannot be read", "empty.wav: is empty", "click.wav: lasts 0.006 s", "long.wav"):
            assert sentence in told
            assert sentence in done.stderr

    def test_a_folder_without_a_usable_sound_ends_in_a_sentence(self, momo: Path, tmp_path: Path) -> None:
        done = on(momo, "--negatives", tmp_path)
        assert isinstance(done.exception, CompanionError)
        assert "there is no sound in it" in str(done.exception)
        (tmp_path / "letter.flac").write_text("Dear all")
        done = on(momo, "--negatives", tmp_path)
        assert isinstance(done.exception, CompanionError)
        assert "no file in it can be used" in str(done.exception)


@pytest.mark.parametrize("word", ["alexander", "nothere.ww"])
def test_a_word_that_is_not_there(word: str, tmp_path: Path) -> None:
    done = run(word, "--positives", tmp_path, "--negatives", tmp_path)
    assert isinstance(done.exception, CompanionError)
    assert word in str(done.exception)


@needs_micro
@needs_espeak
def test_a_ready_made_word(tmp_path: Path) -> None:
    (tmp_path / "said").mkdir()
    (tmp_path / "talk").mkdir()
    save(tmp_path / "said" / "a.wav", said("alexa"))
    save(tmp_path / "talk" / "a.wav", said(OTHERS[0]))
    done = run("alexa", "--positives", tmp_path / "said", "--negatives", tmp_path / "talk", "--json")
    found = json.loads(done.output)
    assert found["threshold"] == pytest.approx(0.9)
    assert found["false_alarms_per_hour"] == 0.0
    assert not found["second_look"]


@needs_micro
@needs_recordings
def test_a_ready_made_word_said_by_a_person(tmp_path: Path) -> None:
    (tmp_path / "okay_nabu.flac").symlink_to(RECORDINGS / "wake" / "okay_nabu.flac")
    talk = RECORDINGS / "talk" / "near_words"
    found = json.loads(run("okay_nabu", "--positives", tmp_path, "--negatives", talk, "--json").output)
    assert found["missed"] == 0.0
    assert -100 <= found["delay_ms"] <= 500


@pytest.mark.parametrize("room_noise", [1.0, 300.0])
def test_the_word_ends_where_its_sound_does(room_noise: float) -> None:
    rng = np.random.default_rng(1)
    recording = rng.normal(0, room_noise, 32_000)
    recording[8_000:20_000] += rng.normal(0, 6000, 12_000)
    recording[28_000] = 3_000  # a click
    _, end = in_room(recording.astype(np.float32), 1)
    assert end - 24_000 == pytest.approx(20_000, abs=480)


def test_noise_is_mixed_in_so_far_below_the_speech() -> None:
    rng = np.random.default_rng(1)
    recording = np.zeros(32_000, np.float32)
    recording[8_000:20_000] = rng.normal(0, 3000, 12_000)
    pcm, _ = in_room(recording, 1, rng.normal(0, 50, 9_000).astype(np.float32), 10.0)
    before = np.frombuffer(pcm, "<i2")[:24_000].astype(np.float64)
    assert 20 * np.log10(3000 / np.sqrt(np.mean(before**2))) == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize(
    ("rate", "channels", "kind"), [(8_000, 1, "PCM_U8"), (48_000, 2, "FLOAT"), (44_100, 4, "PCM_24")]
)
def test_any_rate_channels_and_depth(rate: int, channels: int, kind: str, tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 0.5
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate, subtype=kind)
    read = np.frombuffer(b"".join(blocks(Part(path, 0.0, 1.0))), "<i2").astype(np.float64)
    assert len(read) == pytest.approx(16_000, abs=2)
    assert np.sqrt(np.mean(read**2)) / 32768 == pytest.approx(0.3535, abs=0.01)


def test_a_flac_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.flac", tmp_path / "cut.flac"
    soundfile.write(whole, np.random.default_rng(1).normal(0, 0.1, 160_000), 16_000)
    path.write_bytes(whole.read_bytes()[:100_000])
    with pytest.raises(UnusableSound, match="cut off"):
        list(blocks(Part(path, 0.0, 10.0)))
