"""Code from an archive: from a folder, a bucket or a web server, verified before anything is unpacked."""

import functools
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.jobs.test_archives import FILES, content_of, tar_of
from trimtab_jobs import fetch
from trimtab_jobs.store import open_store

ARCHIVE = tar_of(*FILES.items())
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / "code.tar.gz").write_bytes(ARCHIVE)
    return folder


@pytest.fixture
def web(archives: Path) -> Iterator[str]:
    """Address of a web server that has the archives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(archives)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["folder", "bucket", "web"])
def place(request: pytest.FixtureRequest, archives: Path) -> str:
    """URI below which the archive lies, on each kind of server."""
    if request.param == "web":
        return str(request.getfixturevalue("web"))
    if request.param == "folder":
        return archives.as_uri()
    bucket = request.getfixturevalue("s3_bucket")
    open_store(f"{bucket}/team").put("code.tar.gz", ARCHIVE)
    return f"{bucket}/team"


def run(uri: str, folder: Path, sha256: str = DIGEST) -> int:
    return fetch.main(["--uri", uri, "--sha256", sha256, "--to", str(folder)])


def test_code_is_unpacked(place: str, tmp_path: Path):
    assert run(f"{place}/code.tar.gz", tmp_path / "code") == 0

    assert content_of(tmp_path / "code") == FILES


def test_an_absent_archive_is_named(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(f"{place}/other.zip", tmp_path / "code") == 1

    error = capsys.readouterr().err
    assert error.startswith("error: spec.task.code.archive.uri: ")
    assert error.endswith("/other.zip: not there\n")


def test_another_digest_is_refused_before_anything_is_unpacked(
    archives: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    uri = f"{archives.as_uri()}/code.tar.gz"

    assert run(uri, tmp_path / "code", sha256="0" * 64) == 1

    assert content_of(tmp_path / "code") == {}
    assert capsys.readouterr().err == (
        f"error: spec.task.code.archive.sha256: {uri} has {DIGEST}, not {'0' * 64}: it was replaced; "
        "bring the file back, or make a new job with this digest\n"
    )


def test_a_hostile_archive_is_refused(archives: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    body = tar_of(("../digits.py", b"x"))
    (archives / "code.tar.gz").write_bytes(body)
    uri = f"{archives.as_uri()}/code.tar.gz"

    assert run(uri, tmp_path / "code", hashlib.sha256(body).hexdigest()) == 1

    assert capsys.readouterr().err == (
        f"error: spec.task.code.archive.uri: {uri} '../digits.py' leads out of the folder it is unpacked to\n"
    )


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("code.zip", "names no file; write s3://bucket/folder/file"),
        ("s3://code.zip", "names no file"),
        ("s3://bucket/", "names no file"),
        ("https://example.org", "names no file; write https://host/folder/file"),
        ("https://example.org/code.zip?version=2", "names no file"),
        ("ftp://example.org/code.zip", "ftp:// is not a store that can be opened here"),
        ("http://127.0.0.1:1/code.zip", "check the address and the network"),
    ],
)
def test_a_uri_of_no_file_is_refused(
    uri: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(uri, tmp_path / "code") == 1

    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("place", ["folder", "web"], indirect=True)
def test_a_huge_file_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(fetch, "MOST_BYTES", 100)

    assert run(f"{place}/code.tar.gz", tmp_path / "code") == 1

    assert capsys.readouterr().err.endswith("/code.tar.gz: is larger than 100 bytes\n")


def test_it_is_a_command_of_its_own(archives: Path, tmp_path: Path):
    command = [sys.executable, "-m", "trimtab_jobs.fetch", "--uri", f"{archives.as_uri()}/code.tar.gz"]

    done = subprocess.run([*command, "--sha256", DIGEST, "--to", str(tmp_path / "code")], check=False)

    assert done.returncode == 0
    assert content_of(tmp_path / "code") == FILES
