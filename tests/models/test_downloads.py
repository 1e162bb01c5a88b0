"""Fetching from servers that lie about length, checksum and range, stall, redirect, or run out."""

from __future__ import annotations

import hashlib
import random
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.errors import EngineUnavailable
from companion.models.catalogue import ModelFile
from companion.models.downloads import DownloadLimits, fetch
from tests.support.model_server import ModelServer

DATA = random.Random(7).randbytes(300_000)
QUICK = DownloadLimits(stall_s=0.2, spare=0)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer({"model.zip": DATA}).running() as running:
        yield running


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.zip"


def described(data: bytes = DATA, *, size: bool = True, sha256: bool = True, md5: bool = False) -> ModelFile:
    return ModelFile(
        "https://nowhere.invalid/model.zip",
        len(data) if size else None,
        hashlib.sha256(data).hexdigest() if sha256 else None,
        hashlib.md5(data).hexdigest() if md5 else None,
    )


def got(
    server: ModelServer, part: Path, file: ModelFile, limits: DownloadLimits = QUICK
) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    assert fetch(file, f"{server.address}/model.zip", part, lambda *one: told.append(one), limits) == (
        hashlib.sha256(part.read_bytes()).hexdigest()
    )
    return told


def refused(server: ModelServer, part: Path, file: ModelFile | None = None, limits: DownloadLimits = QUICK) -> str:
    with pytest.raises(EngineUnavailable) as error:
        fetch(file or described(), f"{server.address}/model.zip", part, lambda *_: None, limits)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")
    return str(error.value)


@pytest.mark.parametrize("file", [described(), described(size=False), described(sha256=False), described(md5=True)])
def test_a_file_is_downloaded_and_its_progress_reported(server: ModelServer, part: Path, file: ModelFile) -> None:
    told = got(server, part, file)
    assert part.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("fault", ["breaks off", "claims more", "broken chunks"])
def test_what_came_before_a_break_is_kept_and_the_rest_asked_for(server: ModelServer, part: Path, fault: str) -> None:
    server.fail_once = fault
    file = described(size=fault != "claims more")
    assert "is kept" in refused(server, part, file)
    kept = part.stat().st_size
    assert kept >= len(DATA) // 2 or fault == "broken chunks"
    got(server, part, file)
    assert part.read_bytes() == DATA
    if fault == "breaks off":
        assert server.asked[-1]["Range"] == f"bytes={kept}-"
        assert server.asked[-1]["If-Range"] == '"one"'


@pytest.mark.parametrize("fault", ["stalls", "trickles"])
def test_a_server_that_falls_silent_is_left_and_what_came_is_kept(server: ModelServer, part: Path, fault: str) -> None:
    server.fail_once = fault
    said = refused(server, part, limits=DownloadLimits(stall_s=0.1, spare=0, trickle=10**6))
    assert "fell silent" in said
    assert "is kept" in said
    got(server, part, described())
    assert part.read_bytes() == DATA


def test_a_server_without_ranges_begins_again(server: ModelServer, part: Path) -> None:
    server.fail_once = "breaks off"
    refused(server, part)
    server.fault = "no range"
    got(server, part, described())
    assert part.read_bytes() == DATA


def test_a_file_that_changed_meanwhile_is_not_patched_together(server: ModelServer, part: Path) -> None:
    server.fail_once = "breaks off"
    refused(server, part, described(sha256=False))
    new = bytes(reversed(DATA))
    server.files["model.zip"], server.etag = new, '"two"'
    got(server, part, described(new, sha256=False))
    assert part.read_bytes() == new


def test_without_anything_to_tell_files_apart_nothing_is_patched_together(server: ModelServer, part: Path) -> None:
    server.etag = ""
    server.fail_once = "breaks off"
    refused(server, part, described(sha256=False))
    got(server, part, described(sha256=False))
    assert "Range" not in server.asked[-1]


def test_a_weak_mark_is_not_relied_on(server: ModelServer, part: Path) -> None:
    server.etag = 'W/"one"'
    server.fail_once = "breaks off"
    refused(server, part)
    got(server, part, described())
    assert "If-Range" not in server.asked[-1]


def test_a_part_that_turns_out_wrong_is_fetched_once_more_from_its_beginning(server: ModelServer, part: Path) -> None:
    server.fail_once = "breaks off"
    refused(server, part)
    part.write_bytes(bytes(part.stat().st_size))
    got(server, part, described())
    assert part.read_bytes() == DATA
    assert "Range" in server.asked[-2]
    assert "Range" not in server.asked[-1]


@pytest.mark.parametrize("fault", ["other range", "silent range"])
def test_a_lie_about_the_range_is_refused_and_the_next_attempt_is_whole(
    server: ModelServer, part: Path, fault: str
) -> None:
    server.fail_once = "breaks off"
    refused(server, part)
    server.fail_once = fault
    assert "another piece" in refused(server, part)
    got(server, part, described())
    assert part.read_bytes() == DATA


def test_a_part_longer_than_the_servers_file_begins_again(server: ModelServer, part: Path) -> None:
    server.fail_once = "breaks off"
    refused(server, part)
    short = DATA[: len(DATA) // 2]
    server.files["model.zip"] = short
    got(server, part, described(short, size=False))
    assert part.read_bytes() == short


@pytest.mark.parametrize("fault", ["wrong bytes", "claims less"])
def test_wrong_bytes_are_thrown_away(server: ModelServer, part: Path, fault: str) -> None:
    server.fault = fault
    said = refused(server, part, described(size=False))
    assert "checksum" in said
    assert not part.exists()
    assert "checksum" in refused(server, part, described(size=False, sha256=False, md5=True))


@pytest.mark.parametrize("fault", ["claims more", "claims less"])
def test_another_length_than_the_published_one_is_refused_before_anything_comes(
    server: ModelServer, part: Path, fault: str
) -> None:
    server.fault = fault
    assert "it is another file" in refused(server, part)
    assert not part.exists()


def test_a_file_without_end_is_cut_short(server: ModelServer, part: Path) -> None:
    server.fault = "endless"
    assert "more than it said" in refused(server, part)
    assert not part.exists()
    assert "more than it said" in refused(
        server, part, described(size=False), DownloadLimits(stall_s=1, largest=len(DATA) * 3, spare=0)
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("loop", "without end"),
        ("ftp", "without encryption"),
        ("404", "any more"),
        ("403", "does not give"),
        ("500", "Try later"),
        ("429", "Try later"),
    ],
)
def test_a_refusal_by_the_server_is_one_sentence(server: ModelServer, part: Path, fault: str, said: str) -> None:
    server.fault = fault
    assert said in refused(server, part)


def test_an_unreachable_server_is_one_sentence(part: Path) -> None:
    with ModelServer({}).running() as gone:
        pass
    said = refused(gone, part)
    assert "cannot be reached" in said
    assert "built-in engines go on" in said


def test_a_full_disk_is_reported_before_the_download(server: ModelServer, part: Path) -> None:
    assert "There is no room" in refused(server, part, limits=DownloadLimits(spare=10**18))
    assert not part.exists()


@pytest.mark.skipif(which("openssl") is None, reason="needs openssl to make a certificate")
def test_encryption_is_never_given_up_on_the_way(tmp_path: Path, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        ModelServer({"model.zip": DATA}).running(context) as secure,
        ModelServer({"model.zip": DATA}).running() as bare,
    ):
        assert "cannot prove" in refused(secure, part)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        got(secure, part, described())
        part.unlink()
        secure.fault, secure.elsewhere = "downgrade", bare.address
        assert "without encryption" in refused(secure, part)
        assert bare.asked == []
        bare.fault, bare.elsewhere, secure.fault = "downgrade", secure.address, ""
        got(bare, part, described())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["breaks off", "no range", "500", "wrong bytes", "other range", ""]), max_size=5))
def test_whatever_goes_wrong_on_the_way_the_file_is_right_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str]
) -> None:
    part = tmp_path_factory.mktemp("parts") / "model.zip"
    small = DATA[:5000]
    with ModelServer({"model.zip": small}).running() as server:
        for fault in faults:
            server.fail_once = fault
            try:
                got(server, part, described(small))
            except EngineUnavailable:
                continue
            assert part.read_bytes() == small
        server.fail_once = ""
        got(server, part, described(small))
        assert part.read_bytes() == small
