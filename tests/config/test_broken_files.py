"""Device, persona and choreography files as people get them wrong: what `companion check` says of each.

A case is the text of the device file below its persona (or of the persona), and what the sentences must say: `error`
or `warning`, the line, the key, and words of it. No other line may be printed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion.cli.check import CheckedFiles, check_paths
from tests.support.paths import CONFIGS

TEDDY = CONFIGS / "personas" / "teddy.toml"
KNOWN_WORDS = "okay_nabu, hey_jarvis, alexa, hey_mycroft"
UNKNOWN_TO_PEOPLE = re.compile(r"\b(?:valid|tuple|string|input|pattern|integer|boolean|instance|dictionary)\b(?! TOML)")
"""Words of programs, not of people. (`not valid TOML` is what editors say, too.)"""

OUR_SERVICE = "https://dashscope-intl.aliyuncs.com"

DEVICES = [
    # What the file may not say at all.
    *(
        (
            f'{table}{name} = "sk-0123456789abcdef"',
            f"error {table.count(chr(10)) + 2} {key}",
            "character.key_file names",
        )
        for table, name, key in (
            ("", "key", "key"),
            ("[character]\n", "key", "character.key"),
            ("[character]\n", "DASHSCOPE_API_KEY", "character.DASHSCOPE_API_KEY"),
            ("[character]\n", "password", "character.password"),
            ("[character]\n", "key_file", "character.key_file"),
            ("[character.extra]\n", "api_key", "character.extra.api_key"),
        )
    ),
    ('[character]\ntoken = "0123456789"', "error 3 character.token", "does not belong here"),
    ('[character]\nkeyfile = "key"', "error 3 character.keyfile", "did you mean key_file?"),
    ('[body]\noutputs = "gpio"', "error 3 body.outputs", 'is a list; write it in square brackets: ["gpio"]'),
    ('[conversation]\nquiet_hours = "8pm-7am"', "error 3 conversation.quiet_hours", '"20:00-07:00"'),
    ('[body]\nnight = "yellow"', "error 3 body.night", '"" for never (it is "yellow")'),
    ('name = "a\nb"', "error 2 -", 'three quotation marks (""")'),
    ("name = “toy”", "error 2 -", "straight quotation marks"),
    ("name = toy", "error 2 -", "straight quotation marks"),
    ("name", "error 2 -", "NAME = VALUE"),
    ("[voice]\n[voice]", "error 3 -", "stands in the file twice"),
    ('name = "C:\\Users"', "error 2 -", "\\\\ for a backslash"),
    ("name = 7", "error 2 name", 'is a text; write it in quotation marks: "..." (it is 7)'),
    ('log_transcripts = "perhaps"', "error 2 log_transcripts", "write true or false"),
    ("body = 3", "error 2 body", "is a table"),
    ("[voice]\nvolume = 0.5", "error 3 voice.volume", "it stands in [voice.speaker]"),
    ("[voice]\nlog_transcripts = true", "error 3 voice.log_transcripts", "at the top of the file"),
    ("[voice.speaker]\nvolum = 0.5", "error 3 voice.speaker.volum", "did you mean volume?"),
    ("[voice.speaker]\nvolume = 150", "error 3 voice.speaker.volume", "write 1 or less (it is 150)"),
    ('[character]\nregion = "chnia"', "error 3 character.region", "did you mean china?"),
    ('[character]\nbase_url = "example.org"', "error 3 character.base_url", "http:// or https:// in front"),
    ("[memory]\nentries = 3.5", "error 3 memory.entries", "whole number"),
    ('[body.channels.Kopf]\nkind = "servo"', "error 2 body.channels.Kopf", "small letters"),
    (
        '[body]\noutputs = ["gpio"]\n[body.gpio]\nbutton = 12\ntouch = 12',
        "error 6 body.gpio.touch",
        "GPIO12 is given to body.gpio.button already",
    ),
    (
        '[body.gpio.channels.glow]\nkind = "lamp"\npin = 4',
        "error 2 body.gpio.channels.glow",
        "write kind = led, rgb_led, servo or motor",
    ),
    # With what it would not start, or be silent.
    ('[ears]\nwake = "hey_pirate"', "error 3 ears.wake.word", KNOWN_WORDS),
    ('[ears.wake]\nword = "hey jarvis"', "error 3 ears.wake.word", KNOWN_WORDS),
    ('[body]\noutputs = ["gpoi"]', "error 3 body.outputs", "did you mean gpio?"),
    ('[voice]\nengine = "pipr"', "error 3 voice.engine", "did you mean piper?"),
    ('[ears.transcriber]\nengine = "whisper"', "error 3 ears.transcriber.engine", "write pocketsphinx or vosk"),
    ('[ears.endpoint]\nengine = "nowhere:engine"', "error 3 ears.endpoint.engine", "cannot be loaded"),
    ('[context]\nproviders = ["clok"]', "error 3 context.providers", "did you mean clock?"),
    (
        f'[character]\nprotocol = "dashscope"\nbase_url = "{OUR_SERVICE}/compatible-mode/v1"',
        "error 3 character.protocol",
        'write "openai"',
    ),
    (
        '[character]\nmodel = "qwen-plus-character-ja"\nregion = "china"',
        "error 3 character.model",
        "is sold in region international, not in china",
    ),
    ('[character]\nemulator = "never"', "error 3 character.emulator", "there is no key; set DASHSCOPE_API_KEY"),
    # With what it is poorer.
    ('[character]\nmodel = "qwen-plus-charakter"', "warning 3 character.model", "did you mean qwen-plus-character?"),
    (
        '[character]\nmodel = "qwen-plus-character-ja-2026-05-20"\nmax_tokens = 4000',
        "warning 4 character.max_tokens",
        "gives 512 tokens at most",
    ),
    (
        f'[character]\nregion = "china"\nbase_url = "{OUR_SERVICE}/compatible-mode/v1"',
        "warning 3 character.region",
        'write "international"',
    ),
    ('[ears.transcriber]\nmodel = "nowhere"', "warning 3 ears.transcriber.model", "pocketsphinx is used instead"),
    ('[voice]\nmodel = "nowhere.onnx"', "warning 3 voice.model", "espeak is used instead"),
    (
        '[voice]\nengine = "piper"\nmodel = "nowhere.onnx"',
        "warning 3 voice.engine",
        "espeak is used instead",
    ),
    (
        '[body]\noutputs = ["gpio"]\n[body.channels.head]\nkind = "servo"\n'
        '[body.channels.glow]\nkind = "light"\n[body.gpio.channels.glow]\nkind = "led"\npin = 4',
        "warning 4 body.channels.head",
        "is shown by no output; say in body.gpio.channels",
    ),
    (
        '[body]\noutputs = ["gpio"]\n[body.channels.glow]\nkind = "light"\n'
        '[body.gpio.channels.glow]\nkind = "led"\npin = 2',
        "warning 8 body.gpio.channels.glow.pin",
        "I2C",
    ),
    ('[body.channels.kopf]\nkind = "servo"', "warning 2 body.channels.kopf", "no motion moves a channel kopf"),
    ('[ears.wake]\nmode = "button"', "warning 3 ears.wake.mode", "set ears.wake.button_pin"),
]

PERSONAS = [
    ("offline = [", 'offline = ["(sighs) No net.", ', "warning lines.offline", "(sighs) is a stage direction"),
    ('opening = "', 'opening = "(waves) ', "warning opening", "(waves) is a stage direction"),
    ('stop = ["stop", ', 'stop = ["Bye!", ', "warning words.en.goodbye", '"bye" means stop already'),
    ('details = "', f'details = "{"bear " * 40_000}', "error profile", "the model takes 30000 in all"),
    ('language = "en"', 'language = "tlh"', "error language", "there is no such language"),
    ("[profile]", "[profil]", "error profil", "did you mean profile?"),
]


@pytest.fixture(autouse=True)
def no_models_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def checked(folder: Path, text: str, persona: Path = TEDDY) -> CheckedFiles:
    path = folder / "unit.toml"
    path.write_text(f'persona = "{persona}"\n{text}\n', encoding="utf-8")
    return check_paths([path])


def told(found: CheckedFiles) -> list[str]:
    return [*(f"error {one}" for one in found.problems), *(f"warning {one}" for one in found.warnings)]


@pytest.mark.parametrize(("text", "place", "words"), DEVICES, ids=[place for _, place, _ in DEVICES])
def test_a_broken_device_file_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    severity, line, key = place.split()
    [sentence] = told(checked(tmp_path, text))
    assert sentence.startswith(f"{severity} {tmp_path / 'unit.toml'}:{line}: {key}: ")
    assert words in sentence
    assert not UNKNOWN_TO_PEOPLE.search(sentence)
    assert "0123456789" not in sentence


@pytest.mark.parametrize(("old", "new", "place", "words"), PERSONAS, ids=[one[2] for one in PERSONAS])
def test_a_broken_persona_is_told_once_for_all_its_devices(
    tmp_path: Path, old: str, new: str, place: str, words: str
) -> None:
    (tmp_path / "personas").mkdir()
    (tmp_path / "devices").mkdir()
    text = TEDDY.read_text("utf-8")
    assert old in text
    persona = tmp_path / "personas" / "mine.toml"
    persona.write_text(text.replace(old, new, 1), encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / "devices" / f"{name}.toml").write_text('persona = "../personas/mine.toml"\n', encoding="utf-8")
    severity, key = place.split()
    sentences = told(check_paths([tmp_path]))
    [sentence] = [one for one in sentences if f": {key}: " in one]
    assert re.fullmatch(rf"{severity} {re.escape(str(persona))}:\d+: {re.escape(key)}: .*", sentence)
    assert words in sentence
    assert len(set(sentences)) == len(sentences)


def test_two_mistakes_of_one_choreography(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        "[gesture.nod]\nmove.kof = [[0.0, 0], [1.0, 9]]\n[gesture.nod.brightness]\nlamp = [[0.0, 1], [1.0, 1]]\n",
        encoding="utf-8",
    )
    first, second = told(checked(tmp_path, '[body]\nchoreography = "mine.toml"'))
    assert f"warning {tmp_path / 'mine.toml'}:2: gesture.nod.move.kof: the device has no channel kof" in first
    assert f"warning {tmp_path / 'mine.toml'}:4: gesture.nod.brightness.lamp: the device has no light lamp" in second


@pytest.mark.parametrize("voice", ["en-klingon", "martian", "en-us+nobody"])
def test_an_unknown_voice_of_espeak_is_told(tmp_path: Path, voice: str) -> None:
    persona = tmp_path / "mine.toml"
    text = re.sub(r'espeak = ".*"', f'espeak = "{voice}"', TEDDY.read_text("utf-8"), count=1)
    persona.write_text(text, encoding="utf-8")
    [sentence] = told(checked(tmp_path, "", persona))
    assert f'speech.espeak: espeak-ng has no voice "{voice}"; `espeak-ng --voices` lists them' in sentence


def test_japanese_with_espeak_is_poor_and_without_a_recogniser_deaf(tmp_path: Path) -> None:
    persona = tmp_path / "mine.toml"
    text = TEDDY.read_text("utf-8").replace('language = "en"', 'language = "ja"')
    persona.write_text(re.sub(r'espeak = ".*"', 'espeak = "ja"', text), encoding="utf-8")
    found = checked(tmp_path, "", persona)
    assert found.problems == []
    sentences = "\n".join(found.warnings)
    assert "ears.transcriber.engine: nothing on this unit understands Japanese" in sentences
    assert "voice.engine: espeak-ng cannot read kanji" in sentences


def test_a_model_that_cannot_be_kept_from_brackets_wants_another_cue_channel(tmp_path: Path) -> None:
    found = told(checked(tmp_path, '[character]\nbase_url = "http://127.0.0.1:8080/v1"\nmodel = "llama-3"'))
    [sentence] = [one for one in found if "cues.channel" in one]
    assert sentence.startswith(f"warning {TEDDY}:")
    assert "llama-3" in sentence


@pytest.mark.parametrize("path", sorted((CONFIGS / "devices").glob("*.toml")), ids=lambda path: path.stem)
def test_the_projects_own_devices_start_here_or_say_what_is_missing(path: Path) -> None:
    found = check_paths([path])
    assert found.problems == []
    # There is no pocketsphinx for some versions of Python.
    known = ("companion models pull", "has no second look here")
    assert all(any(one in warning for one in known) for warning in found.warnings)
