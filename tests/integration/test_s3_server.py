"""The S3 server and the misbehaving proxy that other tests rely on do what they promise."""

import threading
from concurrent.futures import ThreadPoolExecutor

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError
from obstore.store import S3Store

from tests.support.proxy import Fault, S3Proxy
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server


def connect(server: S3Server, bucket: str, endpoint: str | None = None, user: str = ACCESS_KEY) -> S3Store:
    """A client that gives up at the first error, so that a test sees every one."""
    return S3Store(
        bucket.removeprefix("s3://"),
        access_key_id=user,
        secret_access_key=SECRET_KEY,
        endpoint=endpoint or server.endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "5s"},
        retry_config={"max_retries": 0},
    )


def create(store: S3Store, key: str, body: bytes) -> bool:
    try:
        obstore.put(store, key, body, mode="create")
    except AlreadyExistsError:
        return False
    return True


def read(store: S3Store, key: str) -> bytes:
    return bytes(obstore.get(store, key).bytes())


def test_exactly_one_of_many_racing_creates_wins(s3_server: S3Server, s3_bucket: str) -> None:
    store = connect(s3_server, s3_bucket)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: create(store, "epochs/1", b"%d" % n), range(16)))

    assert won.count(True) == 1
    assert read(store, "epochs/1") == b"%d" % won.index(True)


def test_objects_survive_a_kill_and_a_restart(own_s3_server: S3Server) -> None:
    store = connect(own_s3_server, own_s3_server.make_bucket("kept"))
    obstore.put(store, "a/b", b"body")

    own_s3_server.kill()
    with pytest.raises(GenericError):
        read(store, "a/b")
    own_s3_server.start()

    assert read(store, "a/b") == b"body"


def test_user_has_what_is_below_its_prefix_and_nothing_else(own_s3_server: S3Server) -> None:
    own_s3_server.stop()
    own_s3_server.has_users = True
    own_s3_server.start()
    bucket = own_s3_server.make_bucket("shared")
    obstore.put(connect(own_s3_server, bucket), "blue/a", b"of blue")
    name = own_s3_server.add_user("red", "shared", "red/")["AWS_ACCESS_KEY_ID"]
    store = connect(own_s3_server, bucket, user=name)

    assert (create(store, "red/a", b"1"), create(store, "red/a", b"2")) == (True, False)
    assert [each["path"] for batch in obstore.list(store, "red/") for each in batch] == ["red/a"]
    with pytest.raises(PermissionDeniedError):
        read(store, "blue/a")
    with pytest.raises(PermissionDeniedError):
        obstore.put(store, "blue/b", b"1")
    with pytest.raises(GenericError, match="AccessDenied"):
        list(obstore.list(store, "blue/"))


def test_proxy_is_transparent_unless_told_otherwise(s3_server: S3Server, s3_bucket: str) -> None:
    with S3Proxy(s3_server) as proxy:
        store = connect(s3_server, s3_bucket, proxy.endpoint)
        created = create(store, "ünï +%25#?/x", b"1"), create(store, "ünï +%25#?/x", b"2")
        obstore.put(store, "large", b"x" * 12_000_000)

        assert created == (True, False)
        assert read(store, "ünï +%25#?/x") == b"1"
        assert read(store, "large") == b"x" * 12_000_000
        assert obstore.head(store, "large")["size"] == 12_000_000
        assert sorted(each["path"] for batch in obstore.list(store) for each in batch) == [
            "large",
            "ünï +%25#?/x",
        ]


def test_proxy_that_ignores_conditions_lets_every_create_win(s3_server: S3Server, s3_bucket: str) -> None:
    with S3Proxy(s3_server, ignore_conditions=True) as proxy:
        store = connect(s3_server, s3_bucket, proxy.endpoint)

        assert [create(store, "epochs/1 +ü", body) for body in (b"1", b"2")] == [True, True]
        assert read(store, "epochs/1 +ü") == b"2"


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        pytest.param(Fault("fail", "PUT", "b", nth=2), b"1", id="refused"),
        pytest.param(Fault("fail", "PUT", "b", nth=2, forwarded=True), b"2", id="done-but-refused"),
        pytest.param(Fault("lose", "PUT", "b", nth=2), b"1", id="lost-on-the-way"),
        pytest.param(Fault("lose", "PUT", "b", nth=2, forwarded=True), b"2", id="answer-lost"),
    ],
)
def test_proxy_fails_the_nth_request_only(
    s3_server: S3Server, s3_bucket: str, fault: Fault, kept: bytes
) -> None:
    with S3Proxy(s3_server) as proxy:
        store = connect(s3_server, s3_bucket, proxy.endpoint)
        proxy.order(fault)
        obstore.put(store, "a", b"0")
        obstore.put(store, "b", b"1")

        with pytest.raises(GenericError):
            obstore.put(store, "b", b"2")

        assert read(store, "b") == kept
        assert fault.happened.is_set()


def test_proxy_holds_a_frozen_request_until_it_is_released(s3_server: S3Server, s3_bucket: str) -> None:
    with S3Proxy(s3_server) as proxy:
        store = connect(s3_server, s3_bucket, proxy.endpoint)
        freeze = proxy.order(Fault("freeze", "PUT"))
        put = threading.Thread(target=obstore.put, args=(store, "a", b"1"))
        put.start()

        assert freeze.happened.wait(10)
        assert list(obstore.list(store)) == []
        freeze.release.set()
        put.join()

        assert read(store, "a") == b"1"
        assert proxy.requests[0] == ("PUT", "a")
