"""`companion models`: from the list to a model in its place, and back."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from companion.cli.models import models
from companion.config.word_file import write
from companion.errors import ConfigError, EngineUnavailable
from companion.models import store as model_store
from companion.models.catalogue import Model, find_installed, read_catalogue
from companion.models.downloads import DownloadLimits
from companion.models.store import pull
from tests.support.model_server import ModelServer
from tests.support.own_words import own_word

VOSK, VOICE = "vosk-model-small-de-0.15", "de_DE-thorsten-medium"


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(f"{VOSK}/{name}", data)
    return out.getvalue()


ARCHIVE = archive(**{"am/final.mdl": b"model" * 100, "conf/mfcc.conf": b"--sample-frequency=16000"})
ONNX = b"\x08\x07" * 500
SETTINGS = b'{"audio": {"sample_rate": 22050}}'


@dataclass(frozen=True)
class Shop:
    """A server, a list that names its files, and an empty unit."""

    server: ModelServer
    list: Path
    folder: Path

    def run(self, command: str, *arguments: str) -> Result:
        options = ["--folder", str(self.folder), "--catalogue", str(self.list)]
        return CliRunner().invoke(models, [command, *arguments, *options])

    def refused(self, command: str, *arguments: str) -> str:
        done = self.run(command, *arguments)
        assert isinstance(done.exception, EngineUnavailable), done.output
        assert "\n" not in str(done.exception)
        return str(done.exception)

    def model(self, name: str) -> Model:
        return next(one for one in read_catalogue(self.list) if one.name == name)

    def temporary(self) -> list[str]:
        left = [*self.folder.glob("parts/*"), *self.folder.glob("*/.*")]
        return [path.name for path in left]


def write_list(path: Path, address: str, memory_mb: int = 200, checksums: bool = True) -> None:
    def file(name: str, data: bytes) -> str:
        lines = [f'[[model.file]]\naddress = "{address}/{name}"\nsize = {len(data)}']
        lines += [f'sha256 = "{hashlib.sha256(data).hexdigest()}"'] if checksums else []
        return "\n".join(lines) + "\n"

    head = f'language = "de"\nlicence = "MIT"\nmemory_mb = {memory_mb}\n'
    path.write_text(
        f'[[model]]\nname = "{VOSK}"\nkind = "vosk"\n{head}{file(f"{VOSK}.zip", ARCHIVE)}'
        f'[[model]]\nname = "{VOICE}"\nkind = "piper"\n{head}'
        f"{file(f'{VOICE}.onnx', ONNX)}{file(f'{VOICE}.onnx.json', SETTINGS)}"
    )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    files = {f"{VOSK}.zip": ARCHIVE, f"{VOICE}.onnx": ONNX, f"{VOICE}.onnx.json": SETTINGS}
    with ModelServer(files).running() as server:
        write_list(tmp_path / "list.toml", server.address)
        yield Shop(server, tmp_path / "list.toml", tmp_path / "models")


def test_pulled_models_are_found_by_language_and_the_device_lines_printed(shop: Shop) -> None:
    done = shop.run("pull", VOSK, VOICE)
    assert done.exit_code == 0, done.output
    heard, said = find_installed("vosk", "de", shop.folder), find_installed("piper", "de", shop.folder)
    assert heard is not None
    assert (heard / "am" / "final.mdl").read_bytes() == b"model" * 100
    assert said is not None
    assert said.read_bytes() == ONNX
    assert Path(f"{said}.json").read_bytes() == SETTINGS
    assert f'[ears.transcriber]\nmodel = "{heard}"' in done.output
    assert f'[voice]\nmodel = "{said}"' in done.output
    assert shop.temporary() == []


def test_the_list_says_what_is_here_what_is_not_published_and_what_was_never_tried(shop: Shop) -> None:
    shop.run("pull", VOICE)
    told = {one["name"]: one for one in json.loads(shop.run("list", "--json").output)}
    assert told[VOICE]["installed"] is True
    assert told[VOSK]["installed"] is False
    assert told[VOSK]["address_tried"] is False
    whole = CliRunner().invoke(models, ["list", "--folder", str(shop.folder)]).output
    assert "not published" in whole
    assert "ever tried" in whole


@pytest.mark.parametrize("name", ["de", "DE", "de-AT", "de_DE", "German", "deutsch"])
def test_a_language_stands_for_its_recommended_models(shop: Shop, name: str) -> None:
    shop.list.write_text(shop.list.read_text() + shop.list.read_text().replace(VOSK, "later").replace(VOICE, "other"))
    done = shop.run("pull", name, VOSK)
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines() if "is here now" in line] == [VOSK, VOICE]


@pytest.mark.parametrize("name", ["ja", "tlh"])
def test_a_language_without_models_is_told(shop: Shop, name: str) -> None:
    assert f"of the language {name}; there are some of de." in shop.refused("pull", name)


def test_pulling_twice_makes_no_request(shop: Shop) -> None:
    shop.run("pull", VOICE)
    asked = len(shop.server.asked)
    assert "was here already" in shop.run("pull", VOICE).output
    assert len(shop.server.asked) == asked


def test_without_a_terminal_progress_is_printed_in_lines(shop: Shop) -> None:
    assert f"{VOSK}: 0.0 of 0.0 MB" in shop.run("pull", VOSK).stderr


def test_a_break_is_one_sentence_and_the_next_run_goes_on(shop: Shop) -> None:
    shop.server.fail_once = "breaks off"
    assert "is kept" in shop.refused("pull", VOSK)
    assert find_installed("vosk", "de", shop.folder) is None
    assert shop.run("pull", VOSK).exit_code == 0
    assert "Range" in shop.server.asked[-1]


def test_no_network_is_one_sentence(shop: Shop) -> None:
    with ModelServer({}).running() as gone:
        pass
    write_list(shop.list, gone.address)
    assert "built-in engines go on" in shop.refused("pull", VOSK)


def test_a_folder_or_another_server_will_do(shop: Shop, tmp_path: Path) -> None:
    write_list(shop.list, "https://nowhere.invalid/models")
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / f"{VOSK}.zip").write_bytes(ARCHIVE)
    assert shop.run("pull", VOSK, "--from", str(stick)).exit_code == 0
    assert shop.run("pull", VOICE, "--from", f"{shop.server.address}/mirror/").exit_code == 0
    assert find_installed("piper", "de", shop.folder) is not None
    shop.run("remove", VOSK)
    (stick / f"{VOSK}.zip").write_bytes(ARCHIVE[:-1])
    assert "it is another file" in shop.refused("pull", VOSK, "--from", str(stick))
    assert "No such file" in shop.refused("pull", VOSK, "--from", str(tmp_path / "nothing"))


def test_without_a_checksum_it_must_come_encrypted_or_from_nearby(shop: Shop) -> None:
    write_list(shop.list, "http://models.example", checksums=False)
    assert "over https" in shop.refused("pull", VOSK)
    write_list(shop.list, shop.server.address, checksums=False)
    assert "No checksum is published" in shop.run("pull", VOSK).output


def test_where_there_is_only_an_md5_it_says_what_that_is_worth(shop: Shop) -> None:
    written = shop.list.read_text()
    sha256, md5 = hashlib.sha256(ARCHIVE).hexdigest(), hashlib.md5(ARCHIVE, usedforsecurity=False).hexdigest()
    shop.list.write_text(written.replace(f'sha256 = "{sha256}"', f'md5 = "{md5}"'))
    assert "Only an MD5 is published" in shop.run("pull", VOSK).output
    assert "is published" not in shop.run("pull", VOICE).output


def test_a_model_too_large_for_the_memory_is_refused(shop: Shop, tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text("MemTotal:         430000 kB\nMemFree: 1 kB\n")
    write_list(shop.list, shop.server.address, memory_mb=520)
    with pytest.raises(EngineUnavailable, match="does not fit"):
        pull(shop.model(VOSK), shop.folder, lambda *_: None, memory=memory)
    write_list(shop.list, shop.server.address, memory_mb=200)
    assert pull(shop.model(VOSK), shop.folder, lambda *_: None, memory=memory)


def test_a_model_too_large_for_the_card_is_refused(shop: Shop) -> None:
    with pytest.raises(EngineUnavailable, match="There is no room"):
        pull(shop.model(VOSK), shop.folder, lambda *_: None, limits=DownloadLimits(spare=10**18))
    assert find_installed("vosk", "de", shop.folder) is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (f"{VOSK}.zip", archive(readme=b"not a model"), "no Vosk model"),
        (f"{VOSK}.zip", b"<html>not found</html>", "no whole archive"),
        (f"{VOICE}.onnx.json", b"<html>not found</html>", "does not describe"),
        (f"{VOICE}.onnx.json", b'{"audio": 3}', "does not describe"),
    ],
)
def test_what_is_no_model_never_gets_a_models_name(shop: Shop, name: str, data: bytes, said: str) -> None:
    shop.server.files[name] = data
    text = shop.list.read_text()
    sizes = {str(len(one)) for one in (ARCHIVE, ONNX, SETTINGS)}
    kept = [line for line in text.splitlines() if not line.startswith("sha256") and line[7:] not in sizes]
    shop.list.write_text("\n".join(kept))
    assert said in shop.refused("pull", name.split(".zip")[0].split(".onnx")[0])
    assert find_installed("vosk", "de", shop.folder) is None
    assert find_installed("piper", "de", shop.folder) is None
    assert [path.name for path in shop.folder.glob("*/.*")] == []


def test_verify_finds_what_changed_and_what_is_missing(shop: Shop) -> None:
    shop.run("pull", VOSK, VOICE)
    assert shop.run("verify").exit_code == 0
    heard = find_installed("vosk", "de", shop.folder)
    assert heard is not None
    (heard / "am" / "final.mdl").write_bytes(b"rotten")
    (heard / "conf" / "mfcc.conf").unlink()
    done = shop.run("verify", "--json")
    assert done.exit_code == 69
    problems = json.loads(done.output)
    assert problems[VOICE] == []
    assert [one.split("; ")[0].rpartition(": ")[2] for one in problems[VOSK]] == [
        "conf/mfcc.conf is missing",
        "am/final.mdl is not what it was",
    ]


def test_verify_says_what_it_cannot_know(shop: Shop) -> None:
    assert "There is no model" in shop.run("verify").output
    assert "is not here" in shop.run("verify", VOSK).output
    (shop.folder / "vosk" / VOSK).mkdir(parents=True)
    assert "nothing to compare" in shop.run("verify", VOSK).output


def test_remove_takes_all_of_it_away(shop: Shop) -> None:
    shop.run("pull", VOSK, VOICE)
    for name in (VOSK, VOICE):
        assert shop.run("remove", name).exit_code == 0
        assert "is not at" in shop.refused("remove", name)
    left = [path for path in shop.folder.rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == []


def test_a_wrong_name_gets_the_nearest_one(shop: Shop) -> None:
    assert f"Did you mean {VOICE}?" in shop.refused("pull", "de_DE-torsten-medium")
    assert shop.server.asked == []


def test_two_commands_do_not_work_on_one_folder(shop: Shop) -> None:
    shop.folder.mkdir()
    with (shop.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another command is at work" in shop.refused("pull", VOSK)
    assert shop.run("pull", VOSK).exit_code == 0


def test_a_folder_that_cannot_be_written_is_one_sentence(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    with pytest.raises(EngineUnavailable, match="cannot be written"):
        pull(shop.model(VOSK), tmp_path / "in the way" / "models", lambda *_: None)


def test_a_cut_before_the_last_step_leaves_no_model_and_the_next_run_makes_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        """Nothing catches this."""

    def cut(*_: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as broken:
        broken.setattr(model_store, "_write_sums", cut)
        for name in (VOSK, VOICE):
            with pytest.raises(PowerCut):
                pull(shop.model(name), shop.folder, lambda *_: None)
    assert find_installed("vosk", "de", shop.folder) is None
    assert find_installed("piper", "de", shop.folder) is None
    assert shop.run("pull", VOSK, VOICE).exit_code == 0
    assert shop.run("verify").exit_code == 0
    assert shop.temporary() == []


def test_own_wake_words_of_the_device_are_listed_and_read(shop: Shop, tmp_path: Path) -> None:
    write(tmp_path / "hey_momo.ww", own_word("hey momo", enrolled=10))
    (tmp_path / "kiki.ww").write_bytes(b"companion-wake-word 1\n{")
    device = tmp_path / "toy.toml"
    device.write_text('persona = "teddy.toml"\n[ears.wake]\nwords = ["alexa", "hey_momo.ww", "kiki.ww"]\n')
    lines = shop.run("list", "--device", str(device)).output.splitlines()
    [momo] = [line for line in lines if line.startswith("hey_momo.ww")]
    [kiki] = [line for line in lines if line.startswith("kiki.ww")]
    assert re.search(r' en  here +0\.0 MB, wake word "hey momo", learnt from 10 recordings$', momo)
    assert "is damaged or cut off" in kiki
    told = {one["name"]: one for one in json.loads(shop.run("list", "--device", str(device), "--json").output)}
    assert (told["hey_momo.ww"]["kind"], told["hey_momo.ww"]["installed"]) == ("wake_word", True)
    assert not told["kiki.ww"]["installed"]
    assert VOSK in told, "what can be fetched is there as before"
    done = shop.run("verify", "--device", str(device))
    assert done.exit_code == 69
    assert "hey_momo.ww: well" in done.output
    assert f"{tmp_path / 'kiki.ww'}: is damaged or cut off" in done.output


def test_a_device_file_that_was_named_and_is_wrong_is_told(shop: Shop, tmp_path: Path) -> None:
    assert isinstance(shop.run("list", "--device", str(tmp_path / "absent.toml")).exception, ConfigError)
