"""The test that image/boot-test.sh runs: first start, a power cut, and flashing a card anew, on an emulated board.

The conversation uses files in place of the sound card (`companion converse`), as the daemon's user and with its memory,
while the daemon itself listens to the machine's silent microphone. The character is the emulated service.
"""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

from emulated_machine import Card, Machine, TrialFailed, say

CARD_BYTES = 3 << 30
BOOT_S = 1200.0
SECRET = "sk-" + "0boottest" * 4

COMPANION = "/opt/companion/.venv/bin/companion"
AS_UNIT = f"runuser -u companion -- env HOME=/tmp STATE_DIRECTORY=/var/lib/companion {COMPANION}"
DEVICE = "--device /var/lib/companion/device.toml"
# The emulated processor is some twenty times slower than a board's.
PATIENT = " ".join(
    f"--set {key}={value}"
    for key, value in {
        "character.emulator": "always",
        "character.answer_within_s": 50,
        "character.stall_s": 50,
        "ears.transcriber.timeout_s": 50,
        "voice.timeout_s": 50,
        "conversation.longest_silence_s": 55,
    }.items()
)

SETTINGS = f"""persona = "teddy"\r
device = "toy"\r
volume = 70   # quiet\r
key = "{SECRET}"\r
langage = "en"\r
"""


def speech_wav(folder: Path) -> bytes:
    """A wake word and a request, as a WAV file."""
    sound, rate = b"", 22_050
    for text, speed, pause_s in (("okay nabu", 130, 1.2), ("tell me a story about the moon", 140, 6)):
        piece = folder / "spoken.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", str(speed), "-w", str(piece), text], check=True)
        with wave.open(str(piece)) as opened:
            rate = opened.getframerate()
            sound += opened.readframes(opened.getnframes()) + bytes(2 * int(rate * pause_s))
    with wave.open(str(folder / "spoken.wav"), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(rate)
        opened.writeframes(bytes(2 * rate) + sound)
    return (folder / "spoken.wav").read_bytes()


def wait_until_ready(machine: Machine) -> None:
    """Wait until the unit has notified systemd that it listens."""
    while True:
        state = machine.must("systemctl show -P ActiveState companion")
        if state == "active":
            return
        if state == "failed" or machine.seconds > BOOT_S:
            _, why = machine.run("systemctl status --no-pager -n 30 companion companion-provision companion-data")
            raise TrialFailed(f"the unit is {state} after {machine.seconds:.0f} s:\n{why}")
        machine.run("sleep 3")


def list_memories(machine: Machine) -> str:
    """The output of `companion memory list`."""
    return machine.must(f"{AS_UNIT} memory list {DEVICE}", 300)


def unit_number(machine: Machine) -> str:
    """The unit's number, as JSON."""
    return machine.must(f"{AS_UNIT} identity --json", 300)


def expect(true: bool, sentence: str) -> None:
    """Raise `TrialFailed` with this sentence unless `true`."""
    if not true:
        raise TrialFailed(sentence)


def main(image: Path, folder: Path) -> None:
    """Run the whole test with an image. Raises `TrialFailed`."""
    folder.mkdir(parents=True, exist_ok=True)
    times: list[tuple[str, float]] = []

    def record_time(what: str, seconds: float) -> None:
        times.append((what, seconds))
        say(f"{what}: {seconds:.0f} s")

    card = Card(folder / "card.img")
    subprocess.run(["cp", "--sparse=always", image, card.path], check=True)
    with card.path.open("r+b") as opened:
        opened.truncate(CARD_BYTES)
    card.write("companion.toml", SETTINGS.encode())
    card.write("spoken.wav", speech_wav(folder))

    with Machine(card, folder, "first-start") as machine:
        machine.open_shell(BOOT_S)
        record_time("first start: switched on to a shell", machine.seconds)
        wait_until_ready(machine)
        record_time("first start: switched on to ready", machine.seconds)
        say(machine.must("systemctl --failed --no-legend --plain || true") or "no unit has failed")
        expect("rw" not in machine.must("findmnt -no OPTIONS /").split(","), "the root can be written")
        number = unit_number(machine)
        began = machine.seconds
        machine.must("install -m 644 /boot/firmware/spoken.wav /tmp/spoken.wav")
        talk = "--in /tmp/spoken.wav --out /tmp/said.wav --events /tmp/events.jsonl"
        machine.must(f"{AS_UNIT} converse {DEVICE} {talk} {PATIENT}", 1200)
        record_time("a conversation of 12 s from a file", machine.seconds - began)
        kinds = machine.must('grep -o \'"kind": "[a-z_]*"\' /tmp/events.jsonl | sort | uniq -c')
        expect('"wake"' in kinds and '"speaking"' in kinds, f"no conversation came about:\n{kinds}")
        before = list_memories(machine)
        _, errors = machine.run("grep '\"error\"' /tmp/events.jsonl")
        expect("1 turns" in before, f"the talk is not remembered: {before}\n{errors}")
        say(f"remembered: {before}")
        say("cutting the power")
        machine.cut_power()

    report = card.read("companion-report.txt").decode("utf-8-sig")
    (folder / "companion-report.txt").write_text(report, "utf-8")
    settings = card.read("companion.toml").decode()
    expect(SECRET not in settings and SECRET not in report, "the key still stands on the card")
    expect("volume = 70   # quiet\r\n" in settings, "the installer's file was changed elsewhere")
    expect("language" in report and "Line 5" in report, f"the report does not tell what is wrong:\n{report}")
    expect(number.strip('{}"').rpartition('"')[2] in report, f"the report does not name {number}:\n{report}")

    def boot_and_compare(name: str, change: Callable[[], None]) -> None:
        change()
        with Machine(card, folder, name) as machine:
            machine.open_shell(BOOT_S)
            wait_until_ready(machine)
            record_time(f"{name}: switched on to ready", machine.seconds)
            after = list_memories(machine)
            expect(after == before, f"{name}: before {before!r}, after {after!r}")
            expect(unit_number(machine) == number, f"{name}: the unit has another number")
            machine.must("test -s /run/credstore/dashscope-key")
            expect(
                SECRET not in machine.must("journalctl --merge --no-pager -b | cat", 300),
                f"{name}: the log has the key",
            )

    boot_and_compare("after the power cut", lambda: None)

    def flash() -> None:
        say("writing the image to the card again")
        subprocess.run(["dd", f"if={image}", f"of={card.path}", "bs=4M", "conv=notrunc", "status=none"], check=True)

    boot_and_compare("after flashing anew", flash)
    lines = [f"| {what} | {seconds:.0f} |" for what, seconds in times]
    (folder / "times.txt").write_text("\n".join(["| | s |", "|---|---|", *lines]) + "\n", "utf-8")
    print((folder / "times.txt").read_text("utf-8"), end="")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except TrialFailed as error:
        sys.exit(f"boot-test: FAILED: {error}\nboot-test: logs and card are in {sys.argv[2]}")
    say(f"PASSED; logs are in {sys.argv[2]}")
