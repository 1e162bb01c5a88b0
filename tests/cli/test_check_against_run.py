"""`companion check` against the start of the unit: what one calls an error the other refuses, and nothing else.

The unit is put together as `companion run` does it, with a file in place of the sound card, the scripted stand-in and
no key. A case is what the device file says below its persona, the line and key that must be told, and words of it.
"""

from __future__ import annotations

import re
import wave
from pathlib import Path

import pytest

from companion.app import Sound, assembled
from companion.cli.check import check_paths
from companion.config.unit import load_unit
from companion.config.word_file import LARGEST, WordFile, encoded, write
from companion.errors import CompanionError
from companion.plugins import build_synthesizer
from companion.sound.card import MonotonicClock
from companion.sound.file import FileSoundCard
from tests.support.own_words import own_word
from tests.support.paths import CONFIGS

TEDDY = CONFIGS / "personas" / "teddy.toml"
PROGRAMS_WORDS = re.compile(
    r"pydantic|input should|pattern|\btuple\b|NoneType|\bdict\b|Traceback|Errno|Error\b|\bNone\b|instance",
    re.IGNORECASE,
)

SERVO = '[body]\noutputs = ["gpio"]\n[body.channels.head]\nkind = "servo"\n[body.gpio.channels.head]\nkind = "servo"\n'
URL = "[character]\nbase_url = "

REFUSED = [
    ("name = “x”", "2: -", "straight quotation marks"),
    ("name＝'x'", "2: -", "write NAME = VALUE"),
    ("[voice.speaker]\nvolume = ０.5", "3: -", "this value cannot be read"),
    ("[voice.speaker]\nvolume = 0,5", "3: -", "numbers with a point"),
    ('[body]\noutputs = ["page"，"gpio"]', "3: -", "a comma is missing"),
    ('name = "a"\nname = "b"', "3: -", "twice"),
    ('[voise]\nengine = "auto"', "2: voise", "did you mean voice?"),
    ("[ears.microphone]\nchannel = 0", "3: ears.microphone.channel", "the first is 1"),
    ('[ears.microphone]\nchannel = "left"', "3: ears.microphone.channel", "is no channel; write its number"),
    ("[voice.speaker]\nvolume = nan", "3: voice.speaker.volume", "no number at all"),
    ("[spending]\ndaily = inf", "3: spending.daily", "no number at all"),
    (f"{SERVO}pin = 12\nlow_degrees = nan", "9: body.gpio.channels.head.low_degrees", "no number at all"),
    (f"{SERVO}pin = 12\nlow_us = 2000\nhigh_us = 1000", "9: body.gpio.channels.head.low_us", "below high_us"),
    ('[body.gpio]\nbutton = "17"', "3: body.gpio.button", "without quotation marks, as 17"),
    ('[body]\noutputs = ["gpio"]', "3: body.outputs", "add a table [body.gpio]"),
    (f"{SERVO.replace('gpio.channels.head', 'gpio.channels.hed')}pin = 12", "6: body.gpio.channels.hed", "mean head?"),
    ('[body.serial]\nport = "COM3"', "3: body.serial.port", "/dev/ttyACM0"),
    ('[context]\nproviders = ["location"]', "3: context.providers", "context.location"),
    ('[conversation]\nquiet_hours = "08:00-08:00"', "3: conversation.quiet_hours", "ends when it begins"),
    ('[conversation]\nquiet_hours = "20:00-07:00\\n"', "3: conversation.quiet_hours", "no span of time"),
    ('timezone = "Berlin"', "2: timezone", "did you mean Europe/Berlin?"),
    ('timezone = "UTC+8"', "2: timezone", "write it as Europe/Berlin or Asia/Shanghai"),
    ('[body]\nchoreography = "dance.toml"', "3: body.choreography", "there is no file"),
    ('[body]\nchoreography = "."', "3: body.choreography", "is a folder"),
    (f'{URL}"https://host:99999/v1"', "3: character.base_url", "names no host"),
    (f'{URL}"https://host:abc/v1"', "3: character.base_url", "names no host"),
    (f'{URL}"https://a..b/v1"', "3: character.base_url", "names no host"),
    (f'{URL}"http://[::1/v1"', "3: character.base_url", "names no host"),
    (f'{URL}"https://ho st/v1"', "3: character.base_url", "has a blank"),
    (f'{URL}"https://-a_€.example/v1"', "3: character.base_url", "hostname"),
    (f'{URL}"https://a.de/v1"\nca_file = "absent.pem"', "4: character.ca_file", "absent.pem"),
    (f'{URL}"https://a.de/v1"\nca_file = "unit.toml"', "4: character.ca_file", "holds no certificate in PEM form"),
    ('[character]\nkey_file = "absent"', "3: character.key_file", "cannot be read"),
    ('[ears.wake]\nengine = "nowhere:engine"', "3: ears.wake.engine", "cannot be loaded"),
    ('[ears.wake]\nwords = ["alexa", "hey_bear"]', "3: ears.wake.words.1.word", 'there is no wake word "hey_bear"'),
    (
        '[ears.wake]\nwords = ["alexa", "bear.ww"]',
        "3: ears.wake.words.1.word",
        "bear.ww; name that of a word of your own",
    ),
    ('[ears]\nwake = "bear.ww"', "3: ears.wake.word", "there is no file"),
    ('[ears]\nwake = "folder.ww"', "3: ears.wake.word", "is not a plain file); name a .ww file"),
    ('[ears]\nwake = "huge.ww"', "3: ears.wake.word", "is far too long); name a .ww file"),
    ('[ears]\nwake = "text.ww"', "3: ears.wake.word", "is no wake word; make one with: companion wakeword train"),
    ('[ears]\nwake = "empty.ww"', "3: ears.wake.word", "is no wake word"),
    ('[ears]\nwake = "cut.ww"', "3: ears.wake.word", "is damaged or cut off; copy it again"),
    ('[ears]\nwake = "later.ww"', "3: ears.wake.word", "was made by a newer version; install that here"),
    ('[ears]\nwake = "unfit.ww"', "3: ears.wake.word", "is no whole wake word (there is no mean); make it anew"),
    ('[ears.wake]\nwords = ["alexa", "cut.ww"]', "3: ears.wake.words.1.word", "cut.ww: is damaged or cut off"),
    ('[ears.wake]\nword = "momo.ww"\nengine = "micro"', "4: ears.wake.engine", "is no word of the engine micro"),
    ('[ears.wake]\nwords = ["alexa"]\nengine = "embedding"', "4: ears.wake.engine", '"alexa" is no .ww file'),
    ('[ears.wake]\nwords = [{ word = "alexa", character = "Otto" }]', "3: ears.wake.words.0.character", "called Otto"),
    ('[ears.wake]\nwords = [{ word = "alexa", role = "stop" }]', "3: ears.wake.words", "nothing in the list can wake"),
    ('[ears.wake]\nword = "alexa"\nwords = ["hey_jarvis"]', "4: ears.wake.words", "word is given too"),
    ('[context]\nproviders = ["os:getcwd"]', "3: context.providers", "is no engine"),
]
POOR = [
    ('[ears.wake]\nwords = ["hey_momo.ww", "momo.ww"]', "3: ears.wake.words.0", 'says "momo" too'),
    (f"{SERVO}pin = 5\nhardware_pwm = 'pwmchip0:0'", "8: body.gpio.channels.head.pin", "12, 13, 18, 19"),
    ('[body.channels.head]\nkind = "servo"\nlow = 0\nhigh = 0', "2: body.channels.head", "cannot move"),
    ('[body.channels.wheels]\nkind = "motor"\nlow = -100', "2: body.channels.wheels", "a motor knows only -1 to 1"),
    ("[body.gpio]\nbutton = 12", "2: body.gpio", 'outputs = ["gpio"]'),
    ('[body]\noutputs = ["page", "page"]', "3: body.outputs", "twice"),
    ("[ears.endpoint]\nsilence_s = 20\nlongest_s = 10", "3: ears.endpoint.silence_s", "cut off after 10 s"),
    ("[ears.microphone]\nchannel = 2", "3: ears.microphone.channel", "name the card itself"),
    ('[ears.endpoint]\nturn_model = "smart-turn"', "3: ears.endpoint.turn_model", "turn_model_file"),
    ('[memory]\nmode = "service"', "3: memory.mode", "Chinese only"),
    ('[memory]\nfolder = "unit.toml"', "3: memory.folder", "nothing is remembered"),
    ("[spending]\ndaily = 10\nmonthly = 1", "3: spending.daily", "of the whole month"),
    ('[context]\nproviders = ["file"]\nfile = "absent"', "4: context.file", "is not there"),
    ('[context]\nproviders = ["command"]\ncommand = ["nowhere-at-all"]', "4: context.command", "no program"),
    ('[ears]\nrecord = "until 2099-12-31"', "ears.record", "is recorded until 2099-12-31"),
    ('[ears]\nrecord = "until 2020-12-31"', "ears.record", "nothing is recorded any more"),
    ("[ears.wake]\nneighbours = true", "3: ears.wake.neighbours", "head -c 24 /dev/urandom | base64"),
    ('[ears.wake]\nneighbours = true\nmode = "open"', "3: ears.wake.neighbours", "at a wake word only"),
    ('[character]\nanswer_within_s = 30', "conversation.longest_silence_s", "character.answer_within_s"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "momo.ww", own_word("Momo"))
    write(tmp_path / "hey_momo.ww", own_word("hey momo"))
    write(tmp_path / "unfit.ww", WordFile(own_word().card, {}))
    whole = encoded(own_word())
    for name, content in (
        ("cut.ww", whole[:-1000]),
        ("later.ww", whole.replace(b"word 1", b"word 2", 1)),
        ("text.ww", b"hey momo\n"),
        ("empty.ww", b""),
    ):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.ww").mkdir()
    with (tmp_path / "huge.ww").open("wb") as file:
        file.truncate(LARGEST + 1)


def written(folder: Path, text: str) -> Path:
    path = folder / "unit.toml"
    path.write_text(f'persona = "{TEDDY}"\n{text}\n', encoding="utf-8")
    return path


async def start(device_file: Path) -> None:
    """Put the unit together and take it apart again. Raises `CompanionError` where `companion run` would end."""
    device, persona = load_unit(device_file)
    voice = build_synthesizer(device, persona, or_another=True)
    silence = device_file.with_name("silence.wav")
    with wave.open(str(silence), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    card = FileSoundCard(silence, None, voice.rate)
    sound = Sound(card.microphone, card.speaker, MonotonicClock(), lambda _: None, live=True)
    try:
        async with assembled(device, persona, sound, voice, None):
            pass
    finally:
        # Where it was refused, nobody took the voice.
        await voice.close()


def first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@pytest.mark.parametrize(("text", "place", "words"), REFUSED, ids=[f"{one[1]} {one[2]}" for one in REFUSED])
async def test_an_error_of_check_is_refused_by_run(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = written(tmp_path, text)
    [problem] = check_paths([path]).problems
    assert problem.startswith(f"{path}:{place}: ")
    assert words in problem
    assert not PROGRAMS_WORDS.search(problem.replace("Europe", ""))
    with pytest.raises((CompanionError, ExceptionGroup)) as caught:
        await start(path)
    assert isinstance(first_of(caught.value), CompanionError)


@pytest.mark.parametrize(("text", "place", "words"), POOR, ids=[f"{one[1]} {one[2]}" for one in POOR])
async def test_with_a_warning_of_check_it_starts(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = written(tmp_path, text)
    found = check_paths([path])
    assert found.problems == []
    sentences = [one for one in found.warnings if f":{place}: " in one or f": {place}: " in one]
    assert any(words in one for one in sentences), found.warnings
    assert not PROGRAMS_WORDS.search("\n".join(found.warnings))
    await start(path)


async def test_a_damaged_calibration_is_told_as_run_does(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "calibration.toml").write_text("[ears.microphone]\ngain = 'loud'\n")
    assert any("calibrate again" in one for one in check_paths([path]).problems)
    with pytest.raises(CompanionError, match="calibrate again"):
        await start(path)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('denied = ["', 'denied = ["Hi {name}. ', "lines.denied", "{name} is said as it stands"),
        ('denied = ["', 'denied = ["😀", "', "lines.denied", "without a word"),
        ('details = "', 'details = "{{char}} is brown. ', "profile.details", "{{char}} reaches the model"),
        ('name = "Momo"', 'name = "Momo"\nlights = ["lamp"]', "lights", "no light lamp; write glow"),
    ],
)
def test_what_a_persona_says_word_for_word(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    persona = tmp_path / "mine.toml"
    persona.write_text(TEDDY.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    path = tmp_path / "unit.toml"
    path.write_text('persona = "mine.toml"\n', encoding="utf-8")
    found = check_paths([path])
    assert found.problems == []
    assert any(re.match(rf"{re.escape(str(persona))}:\d+: {key}: .*", one) and words in one for one in found.warnings)
