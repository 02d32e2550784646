"""Data at a path, in a bucket or on the web as a local path: fetched once, verified, never half."""

import functools
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.jobs.test_fetch import QuietHandler
from tests.support.proxy import Fault, S3Proxy
from trimtab_jobs import cached
from trimtab_jobs.cached import DataError, cache_folder, cached_file, check_there, local_data
from trimtab_jobs.pool import DataPlace
from trimtab_jobs.store import Store, StoreError, open_store
from trimtab_jobs.store.patience import Patience

BODY = b"a,b\n" + b"1,2\n" * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()
OTHER = "0" * 64


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TRIMTAB_CACHE", str(folder))
    return folder


@pytest.fixture
def team(s3_bucket: str) -> Store:
    """A folder of the test's bucket."""
    return open_store(f"{s3_bucket}/team")


def fetched(s3_proxy: S3Proxy) -> list[str]:
    return [key for method, key in s3_proxy.requests if method == "GET" and key.rpartition("/")[2]]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Address of a web server that has rows.csv."""
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "rows.csv").write_bytes(BODY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# On this machine


@pytest.mark.parametrize("scheme", ["", "file://"], ids=["path", "file URI"])
def test_a_local_file_is_verified_where_it_is(scheme: str, tmp_path: Path, cache: Path):
    (tmp_path / "rows.csv").write_bytes(BODY)

    assert cached_file(f"{scheme}{tmp_path}/rows.csv", DIGEST) == tmp_path / "rows.csv"

    assert not cache.exists()


def test_a_local_file_with_another_digest_is_refused(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_bytes(BODY)

    with pytest.raises(DataError) as refused:
        cached_file(str(path), OTHER)

    assert str(refused.value) == (
        f"{path} has the SHA-256 {DIGEST}, not {OTHER}; bring the file back, or write the new digest"
    )


def test_a_local_path_of_nothing_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"/absent does not exist; write the right path$"):
        cached_file(f"{tmp_path}/absent")


@pytest.mark.parametrize("uri", ["{folder}", "s3://bucket/images/", "https://example.org/"])
def test_a_digest_of_a_folder_is_refused(uri: str, tmp_path: Path):
    with pytest.raises(DataError, match="is a folder, and sha256 is of one file; leave it out, or name the"):
        cached_file(uri.format(folder=tmp_path), DIGEST)


# In a bucket


@pytest.mark.parametrize("sha256", [None, DIGEST], ids=["by version", "by digest"])
def test_a_file_of_a_bucket_is_fetched_once(sha256: str | None, team: Store, s3_proxy: S3Proxy):
    team.put("rows.csv", BODY)

    first, second = (cached_file(f"{team.uri}/rows.csv", sha256) for _ in range(2))

    assert first == second
    assert first.name == "rows.csv"
    assert first.read_bytes() == BODY
    assert len(fetched(s3_proxy)) == 1


def test_what_is_known_by_its_digest_is_not_asked_for_again(team: Store, s3_proxy: S3Proxy):
    team.put("rows.csv", BODY)
    cached_file(f"{team.uri}/rows.csv", DIGEST)
    s3_proxy.requests.clear()

    cached_file(f"{team.uri}/rows.csv", DIGEST)

    assert s3_proxy.requests == []


def test_a_file_that_was_replaced_is_fetched_again(team: Store):
    team.put("rows.csv", BODY)
    before = cached_file(f"{team.uri}/rows.csv")
    team.put("rows.csv", BODY[::-1])

    after = cached_file(f"{team.uri}/rows.csv")

    assert (before.read_bytes(), after.read_bytes()) == (BODY, BODY[::-1])


def test_two_processes_at_once_fetch_once(team: Store, s3_proxy: S3Proxy):
    team.put("rows.csv", BODY)
    s3_proxy.order(Fault("freeze", method="GET", key="rows.csv", seconds=1.5))
    script = "import sys; from trimtab_jobs.cached import cached_file; print(cached_file(sys.argv[1]))"
    command = [sys.executable, "-c", script, f"{team.uri}/rows.csv"]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0] for process in both}

    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1
    assert len(fetched(s3_proxy)) == 1


def test_a_file_with_another_digest_is_refused_and_not_kept(team: Store, cache: Path):
    team.put("rows.csv", BODY)
    uri = f"{team.uri}/rows.csv"

    with pytest.raises(DataError) as refused:
        cached_file(uri, OTHER)

    assert str(refused.value) == (
        f"{uri} has the SHA-256 {DIGEST}, not {OTHER}; bring the file back, or write the new digest"
    )
    assert not list(cache.rglob("rows.csv"))


def test_a_download_that_is_cut_off_does_not_count(team: Store, cache: Path):
    team.put("rows.csv", BODY)
    kept = cached_file(f"{team.uri}/rows.csv")
    (kept.parent / ".entry.json").unlink()  # as if the process had been killed before its end
    kept.unlink()
    (kept.parent / ".rows.csv.0123abcd").write_bytes(BODY[:100])

    assert cached_file(f"{team.uri}/rows.csv").read_bytes() == BODY

    assert sorted(path.name for path in kept.parent.iterdir()) == [".entry.json", "rows.csv"]


@pytest.mark.parametrize("damage", [b"", BODY[:-1], BODY[::-1], None], ids=["empty", "cut", "other", "gone"])
def test_a_damaged_entry_is_fetched_again(damage: bytes | None, team: Store, s3_proxy: S3Proxy):
    team.put("rows.csv", BODY)
    kept = cached_file(f"{team.uri}/rows.csv", DIGEST)
    kept.unlink()
    if damage is not None:
        kept.write_bytes(damage)

    assert cached_file(f"{team.uri}/rows.csv", DIGEST).read_bytes() == BODY

    assert len(fetched(s3_proxy)) == 2


def test_a_seal_that_cannot_be_read_counts_as_none(team: Store):
    team.put("rows.csv", BODY)
    kept = cached_file(f"{team.uri}/rows.csv")
    (kept.parent / ".entry.json").write_text("{")

    assert cached_file(f"{team.uri}/rows.csv").read_bytes() == BODY

    assert json.loads((kept.parent / ".entry.json").read_text()).keys() == {"rows.csv"}


def test_what_is_not_there_is_said(team: Store):
    uri = f"{team.uri}/absent.csv"
    for ask in (cached_file, check_there):
        with pytest.raises(DataError) as refused:
            ask(uri)
        assert str(refused.value) == f"{uri}: nothing is there; write the right URI, or put it there"


def test_no_answer_is_a_fault_of_the_network(s3_bucket: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    short = Patience(request=0.2, first=0.2, total=0.2)
    monkeypatch.setattr("trimtab_jobs.store.remote.Patience.usual", lambda: short)

    with pytest.raises(StoreError, match=r"127.0.0.1:1 does not answer; check AWS_ENDPOINT_URL"):
        cached_file(f"{s3_bucket}/rows.csv")


# Folders


@pytest.mark.parametrize("slash", ["/", ""])
def test_a_folder_of_a_bucket_is_fetched_whole_and_once(slash: str, team: Store, s3_proxy: S3Proxy):
    bodies = {f"images/{label}/{number}.png": bytes([number]) for label in "ab" for number in range(20)}
    for key, body in bodies.items():
        team.put(key, body)

    folder = cached_file(f"{team.uri}/images{slash}")
    again = cached_file(f"{team.uri}/images{slash}")

    assert folder == again
    files = {str(path.relative_to(folder.parent)): path for path in folder.rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in files.items()} == bodies
    assert len(fetched(s3_proxy)) == len(bodies)


def test_a_whole_bucket_is_a_folder(s3_bucket: str):
    open_store(s3_bucket).put("a/rows.csv", BODY)

    assert (cached_file(s3_bucket) / "a" / "rows.csv").read_bytes() == BODY


def test_a_folder_goes_on_where_it_was_cut_off(team: Store, s3_proxy: S3Proxy):
    for number in range(3):
        team.put(f"images/{number}.png", BODY)
    folder = cached_file(f"{team.uri}/images/")
    (folder.parent / ".entry.json").unlink()
    (folder / "1.png").unlink()
    s3_proxy.requests.clear()

    cached_file(f"{team.uri}/images/")

    assert [key.rpartition("/")[2] for key in fetched(s3_proxy)] == ["1.png"]


def test_a_folder_with_a_changed_file_is_another_entry(team: Store):
    team.put("images/1.png", BODY)
    before = cached_file(f"{team.uri}/images/")
    team.put("images/2.png", BODY)

    after = cached_file(f"{team.uri}/images/")

    assert [len(list(folder.iterdir())) for folder in (before, after)] == [1, 2]


def test_a_folder_of_too_many_files_is_refused(team: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cached, "MOST_FILES", 1)
    for number in range(2):
        team.put(f"images/{number}.png", BODY)

    with pytest.raises(DataError, match="images/: has 2 files, more than 1; make one archive of them"):
        cached_file(f"{team.uri}/images/")


# On the web


def test_a_file_of_the_web_is_fetched_once_and_verified(web: str, tmp_path: Path):
    kept = cached_file(f"{web}/rows.csv", DIGEST)
    (tmp_path / "web" / "rows.csv").unlink()

    assert cached_file(f"{web}/rows.csv", DIGEST) == kept

    assert kept.read_bytes() == BODY


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("{web}/rows.csv", "over http anybody on the way may change it; add its sha256, or use https"),
        ("https://example.org/images/", "a folder cannot be listed on the web; name one file"),
    ],
)
def test_what_the_web_cannot_give_safely_is_refused(uri: str, why: str, web: str):
    with pytest.raises(DataError, match=why):
        cached_file(uri.format(web=web))


def test_what_the_web_does_not_have_is_said(web: str):
    with pytest.raises(DataError, match=r"absent\.csv: nothing is there"):
        cached_file(f"{web}/absent.csv", DIGEST)


# Where it is kept


def test_what_has_no_room_is_refused(team: Store, monkeypatch: pytest.MonkeyPatch):
    team.put("rows.csv", BODY)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())

    with pytest.raises(
        DataError, match="GB of room; make room, or set TRIMTAB_CACHE to a folder of a larger"
    ):
        cached_file(f"{team.uri}/rows.csv")


def test_a_cache_that_cannot_be_written_to_gives_way_to_the_folder_for_temporaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert cache_folder().parent == tmp_path


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"TRIMTAB_CACHE": "{tmp}/own", "XDG_CACHE_HOME": "{tmp}/xdg"}, "own"),
        ({"XDG_CACHE_HOME": "{tmp}/xdg", "HOME": "{tmp}"}, "xdg/trimtab"),
        ({"HOME": "{tmp}"}, ".cache/trimtab"),
    ],
)
def test_the_cache_is_the_users_unless_another_is_named(
    environment: dict[str, str], folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("TRIMTAB_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))

    assert cache_folder() == tmp_path / folder


def test_what_nobody_asked_for_in_a_month_makes_room(
    team: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    team.put("rows.csv", BODY)
    cached_file(f"{team.uri}/rows.csv")
    monkeypatch.setattr(cached, "UNUSED_SECONDS", -60)
    team.put("more.csv", BODY)

    cached_file(f"{team.uri}/more.csv")

    assert [path.name for path in cache.rglob("*.csv")] == ["more.csv"]


def test_what_others_keep_in_the_cache_stays(team: Store, cache: Path, monkeypatch: pytest.MonkeyPatch):
    (cache / "prepared").mkdir(parents=True)
    monkeypatch.setattr(cached, "UNUSED_SECONDS", -60)
    team.put("rows.csv", BODY)

    cached_file(f"{team.uri}/rows.csv")

    assert (cache / "prepared").is_dir()


# By name


def test_each_set_of_data_gets_its_path(tmp_path: Path, team: Store):
    (tmp_path / "rows.csv").write_bytes(BODY)
    team.put("test.csv", BODY)

    paths = local_data(
        {
            "train": DataPlace(str(tmp_path / "rows.csv")),
            "test": DataPlace(f"{team.uri}/test.csv", DIGEST),
        }
    )

    assert {name: Path(path).read_bytes() for name, path in paths.items()} == {"train": BODY, "test": BODY}


def test_data_that_is_not_there_is_named_by_its_field(tmp_path: Path):
    with pytest.raises(DataError, match=r"^spec.task.data\[train\]: .*/absent does not exist"):
        local_data({"train": DataPlace(f"{tmp_path}/absent")})
