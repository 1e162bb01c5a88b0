"""The command line: what a person gets wrong is one plain sentence and an exit status; what goes in and comes out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import command
from tests.support.paths import ROOT
from tests.support.synthetic_user import conversation_wav


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["converse", "--in", "none.wav", "--out", "{}/r.wav"], 69, "none.wav"),
        (["converse", "--in", "README.md", "--out", "{}/r.wav"], 69, "README.md"),
        (["converse", "--in", "{}/u.wav", "--out", "/nonexistent/r.wav"], 69, "/nonexistent"),
        (["run", "--device", "none.toml"], 78, "none.toml"),
        (["say", "hi", "--set", "voice.engine=nosuch"], 78, "nosuch"),
        (["say", "hi", "--set", "voice.engine=os:system"], 69, "os:system"),
        (["say", "hi", "--set", "voice.engine=os:path"], 69, "os:path"),
        (["say", "hi", "--set", "voice.engine=.:x"], 69, ".:x"),
        (["say", "hi", "--set", "voice.engine=piper", "--set", "voice.model=/"], 69, "/: cannot be read"),
        (["converse", "--in", "{}/u.wav", "--out", "{}/r.wav", "--events", "{}/u.wav"], 69, "overwrite"),
        (["converse", "--in", "{}/u.wav", "--out", "{}/r.wav", "--events", "{}/r.wav"], 69, "overwrite"),
        (["say", "hi", "--set", "nosuch.key=1"], 78, "nosuch.key"),
        (["say", "hi", "--out", "/nonexistent/x.wav"], 69, "/nonexistent"),
        (["check", "/nonexistent.toml"], 78, "/nonexistent.toml"),
        (["parse", "--chunks"], 1, "JSON string"),
        (["control", "wake", "--socket", "/nonexistent"], 69, "companion run"),
        (["nosuch"], 2, "nosuch"),
    ],
)
def test_what_a_person_gets_wrong_is_one_plain_sentence(
    tmp_path: Path, arguments: list[str], status: int, sentence: str
) -> None:
    conversation_wav(tmp_path / "u.wav", "", "hi")
    heard = (tmp_path / "u.wav").read_bytes()
    done = command(*(part.format(tmp_path) for part in arguments), stdin="not json\n")
    assert (tmp_path / "u.wav").read_bytes() == heard
    assert done.returncode == status, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "--help", "chat --script {} --json --set character.emulator=always", "chat --script {}", "body list",
        "memory export", "memory show", "usage", "models list", "parse", "identity", "check", "emulate --port 0",
        "doctor --auto --only settings", "demo --file --out {}.demo",
    ],
)  # fmt: skip
def test_a_reader_that_went_away_ends_every_command_without_a_word(tmp_path: Path, arguments: str) -> None:
    """As with `companion ... | head`."""
    script = tmp_path / "script"
    script.write_text("hello\nhow are you\n" * 2, "utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "companion", *arguments.format(script).split()],
        cwd=ROOT, input="Hello (waves)", stdout=writing, stderr=subprocess.PIPE, text=True, timeout=90, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode in (1, 141), done.stderr
    for word in ("Traceback", "BrokenPipe", "Exception"):
        assert word not in done.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stats", "status"),
        ("memroy", "memory"),
        ("control persnoa", "persona"),
        ("models lst", "list"),
        ("chta", "chat"),
    ],
)
def test_a_mistyped_command_gets_a_suggestion(typed: str, meant: str) -> None:
    done = command(*typed.split())
    assert done.returncode == 2
    assert f"Did you mean {meant}?" in done.stderr


@pytest.mark.parametrize("group", ["", "control", "memory", "models", "body"])
def test_no_line_of_the_help_is_cut_off(group: str) -> None:
    told = command(*group.split(), "--help").stdout
    assert "..." not in told.split("--help")[1].replace("ARGS]...", "")


def test_the_help_has_examples_and_tells_of_completion() -> None:
    told = command("--help").stdout
    assert "companion models pull en" in told
    assert "_COMPANION_COMPLETE=bash_source" in told


def test_parse_tells_speech_from_directions() -> None:
    done = command("parse", stdin="(waves) Hello *smiles* there!")
    result = json.loads(done.stdout)
    assert result["speech"] == "Hello there!"
    assert [(cue["gesture"] or cue["emotion"], cue["at"]) for cue in result["cues"]] == [("wave", 0), ("happy", 5)]
    chunks = command("parse", "--chunks", stdin='"(wa"\n"ves) Hello *smi"\n"les* there!"\n')
    assert json.loads(chunks.stdout) == result
    batch = command("parse", "--batch", stdin='["(waves) Hi", "!"]\n["*nods*"]\n')
    assert [json.loads(line)["speech"] for line in batch.stdout.splitlines()] == ["Hi!", ""]
