"""What a bucket adds: servers that restart, freeze, lose answers, refuse, or ignore conditions."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from tests.support.proxy import Fault, S3Proxy
from tests.support.s3 import S3Server
from trimtab_jobs.store import ExistsError, FullError, StoreError, check_store, open_store
from trimtab_jobs.store.patience import Patience
from trimtab_jobs.store.remote import RemoteStore

SHORT = Patience(request=0.5, first=1, total=1)


@pytest.fixture
def own_server(tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server that this test may stop, with a bucket `own`; s3_server skips when none can be built."""
    server = S3Server.at(tmp_path / "server")
    server.folder.mkdir()
    server.start()
    server.make_bucket("own")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


def test_store_that_ignores_conditions_is_refused(
    s3_server: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3Proxy(s3_server, ignore_conditions=True) as s3_proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3_proxy.endpoint)
        store = open_store(s3_bucket)

        with pytest.raises(StoreError) as refused:
            check_store(store)

    assert str(refused.value) == (
        f"{s3_bucket}: ignores conditional writes (If-None-Match), so two drivers could overwrite each "
        "other; choose a store that keeps to them, or a newer version of this one"
    )
    assert store.list() == []


OPERATIONS: dict[str, Callable[[RemoteStore, Path], object]] = {
    "PUT": lambda store, file: store.put("a/put", b"1"),
    "POST": lambda store, file: store.delete("a/there"),
    "GET": lambda store, file: store.get("a/there"),
    "HEAD": lambda store, file: store.get_file("a/there", file),
}


@pytest.mark.parametrize("forwarded", [False, True], ids=["before", "after it was done"])
@pytest.mark.parametrize("action", ["fail", "lose"])
@pytest.mark.parametrize("method", OPERATIONS)
def test_operation_survives_a_lost_request(
    s3_bucket: str,
    s3_proxy: S3Proxy,
    tmp_path: Path,
    method: str,
    action: Literal["fail", "lose"],
    forwarded: bool,
) -> None:
    store = RemoteStore(s3_bucket)
    store.put("a/there", b"1")
    fault = s3_proxy.order(Fault(action, method, forwarded=forwarded))

    OPERATIONS[method](store, tmp_path / "copy")

    assert fault.happened.is_set()


@pytest.mark.parametrize("forwarded", [False, True], ids=["before", "after it was done"])
@pytest.mark.parametrize("action", ["fail", "lose"])
def test_create_whose_answer_is_lost_is_known_for_ones_own(
    s3_bucket: str, s3_proxy: S3Proxy, action: Literal["fail", "lose"], forwarded: bool
) -> None:
    store = RemoteStore(s3_bucket)
    s3_proxy.order(Fault(action, "PUT", forwarded=forwarded))

    store.create("epochs/1", b"mine")

    assert store.get("epochs/1") == b"mine"
    with pytest.raises(ExistsError):
        store.create("epochs/1", b"mine")


def test_create_that_outlasts_its_time_is_known_for_ones_own(s3_bucket: str, s3_proxy: S3Proxy) -> None:
    s3_proxy.order(Fault("freeze", "PUT", forwarded=True))

    RemoteStore(s3_bucket, Patience(request=0.5)).create("epochs/1", b"mine")

    assert [key for method, key in s3_proxy.requests if method == "PUT"] == ["epochs/1", "epochs/1"]


def test_create_that_comes_second_after_a_lost_request_is_told_so(s3_bucket: str, s3_proxy: S3Proxy) -> None:
    store = RemoteStore(s3_bucket)
    frozen = s3_proxy.order(Fault("freeze", "PUT"))
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(RemoteStore(s3_bucket, Patience(request=0.5)).create, "epochs/1", b"same")
        assert frozen.happened.wait(30)
        store.create("epochs/1", b"same")

        with pytest.raises(ExistsError, match="epochs/1: already there"):
            late.result()


@pytest.mark.parametrize(
    ("method", "nth"), [("PUT", 2), ("POST", 1), ("POST", 2)], ids=["a part", "the start", "the end"]
)
@pytest.mark.parametrize("forwarded", [False, True], ids=["before", "after it was done"])
def test_upload_in_parts_survives_a_lost_request(
    s3_bucket: str, s3_proxy: S3Proxy, method: str, nth: int, forwarded: bool
) -> None:
    store = RemoteStore(s3_bucket)
    body = bytes(range(256)) * 2**16
    fault = s3_proxy.order(Fault("lose", method, "big", nth=nth, forwarded=forwarded))

    store.put("big", body)

    assert fault.happened.is_set()
    assert store.get("big") == body


@pytest.mark.parametrize("write", ["put", "create"])
def test_write_survives_a_restart_of_the_server(
    own_server: S3Server, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    with S3Proxy(own_server) as s3_proxy, ThreadPoolExecutor(4) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3_proxy.endpoint)
        store = RemoteStore("s3://own/jobs")
        store.put("before", b"")
        own_server.kill()
        enough = s3_proxy.order(Fault("fail", "PUT", nth=20))
        writes = [pool.submit(getattr(store, write), f"journal/{n}", b"%d" % n) for n in range(4)]
        assert enough.happened.wait(60)
        own_server.start()
        for each in writes:
            each.result()

    assert [store.get(f"journal/{n}") for n in range(4)] == [b"0", b"1", b"2", b"3"]


def test_store_that_is_full_is_told_while_it_is_waited_for(s3_bucket: str, s3_proxy: S3Proxy) -> None:
    for nth in range(1, 4):
        s3_proxy.order(Fault("fail", "PUT", "journal/1", nth=nth, status=507))
    store = RemoteStore(s3_bucket, Patience(total=0.2))

    with pytest.raises(FullError, match=r"the store is full \(507\); make room, or raise its quota"):
        store.put("journal/1", b"batch")
    RemoteStore(s3_bucket).put("journal/1", b"batch")

    assert store.get("journal/1") == b"batch"


def test_server_that_is_gone_is_said_soon(own_server: S3Server) -> None:
    own_server.stop()

    with pytest.raises(StoreError) as refused:
        RemoteStore("s3://own", SHORT).get("a")

    assert str(refused.value) == (
        f"s3://own/a: {own_server.endpoint} does not answer; check AWS_ENDPOINT_URL and the network"
    )


def test_frozen_server_is_given_up_and_used_again_when_it_is_back(own_server: S3Server) -> None:
    store = RemoteStore("s3://own", SHORT)
    store.put("a", b"1")
    own_server.freeze()

    for operation in (lambda: store.get("a"), lambda: store.put("a", b"2"), lambda: store.create("b", b"3")):
        with pytest.raises(StoreError, match="does not answer; check AWS_ENDPOINT_URL and the network"):
            operation()

    own_server.thaw()
    store.put("a", b"4")
    assert store.get("a") == b"4"


def test_object_replaced_while_it_is_read_is_said(s3_bucket: str, s3_proxy: S3Proxy, tmp_path: Path) -> None:
    store = RemoteStore(s3_bucket)
    store.put("big", b"1" * 20_000_000)
    second_range = s3_proxy.order(Fault("freeze", "GET", "big", nth=2))
    with ThreadPoolExecutor(1) as pool:
        copy = pool.submit(store.get_file, "big", tmp_path / "copy")
        assert second_range.happened.wait(30)
        store.put("big", b"2" * 20_000_000)
        second_range.release.set()

        with pytest.raises(StoreError, match="big: it was replaced while it was read; run the command again"):
            copy.result()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bucket", "variables", "told"),
    [
        pytest.param(
            "s3://not-there/jobs",
            {},
            "bucket 'not-there' does not exist; create it, or choose another --output",
            id="no such bucket",
        ),
        pytest.param(
            "",
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            "the credentials were refused (SignatureDoesNotMatch); "
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            id="wrong secret",
        ),
        pytest.param(
            "",
            {"AWS_ACCESS_KEY_ID": "nobody"},
            "the credentials were refused (XAdminUserNotFound); "
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            id="unknown key id",
        ),
        pytest.param(
            "",
            {"AWS_REGION": "eu-west-1"},
            "the server answered 400 AuthorizationHeaderMalformed The authorization header is malformed; "
            'the region "eu-west-1" is wrong; expecting "us-east-1"; '
            "check the bucket's name, its region and its endpoint",
            id="wrong region",
        ),
    ],
)
def test_refusal_names_the_place_the_cause_and_the_fix(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, bucket: str, variables: dict[str, str], told: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    uri = bucket or s3_bucket
    store = open_store(uri)

    for operation in (lambda: store.create("a", b""), lambda: store.get("a"), lambda: store.list("a")):
        with pytest.raises(StoreError) as refused:
            operation()
        assert str(refused.value) == f"{uri}/a: {told}"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        pytest.param(
            {"AWS_ENDPOINT_URL": "localhost:9000"},
            "AWS_ENDPOINT_URL='localhost:9000' is no address; write http(s)://host:port",
            id="endpoint without scheme",
        ),
        pytest.param(
            {"AWS_SECRET_ACCESS_KEY": None},
            "Generic S3 error: Missing SecretAccessKey; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            id="half of the credentials",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str | None], told: str
) -> None:
    for name, value in variables.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)

    with pytest.raises(StoreError) as refused:
        open_store(s3_bucket)

    assert str(refused.value) == f"{s3_bucket}: {told}"


def test_two_drivers_of_one_bucket_are_told_apart_by_their_writes(s3_bucket: str) -> None:
    barrier = threading.Barrier(2)

    def create() -> bool:
        store = open_store(s3_bucket)
        barrier.wait()
        try:
            store.create("epochs/1", b"same body")
        except ExistsError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: create(), range(2))) == [False, True]
