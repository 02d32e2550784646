"""Which URI opens which store, and which opens none."""

from pathlib import Path

import pytest

from trimtab_jobs.store import StoreError, open_store
from trimtab_jobs.store.local import LocalStore

SHAPES = "use a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/runs/one", "/runs/one"),
        ("runs/one", str(Path.cwd() / "runs/one")),
        ("/runs/../one/", "/one"),
        ("file:///runs/one", "/runs/one"),
        ("file://localhost/runs/one", "/runs/one"),
        ("file:///runs/a%20b", "/runs/a b"),
    ],
)
def test_path_or_file_uri_opens_a_folder(uri: str, folder: str) -> None:
    store = open_store(uri)

    assert isinstance(store, LocalStore)
    assert store.uri == folder
    assert open_store(store.uri).uri == folder


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("pvc://claim/path", f"pvc://claim/path: pvc:// is not a store that can be opened here; {SHAPES}"),
        ("s3://", f"s3://: needs a bucket, and no spaces, '?', '#' or '%'; {SHAPES}"),
        ("s3://b/a%20b", f"s3://b/a%20b: needs a bucket, and no spaces, '?', '#' or '%'; {SHAPES}"),
        ("s3://b/a?x=1", f"s3://b/a?x=1: needs a bucket, and no spaces, '?', '#' or '%'; {SHAPES}"),
        ("file://host/a", "file://host/a: a file URI names a folder of this machine: file:///folder"),
        ("file://", "file://: a file URI names a folder of this machine: file:///folder"),
        (
            "az://container/a",
            "az://container/a: Generic MicrosoftAzure error: Account must be specified; "
            "check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        ),
    ],
)
def test_uri_that_names_no_store_is_refused(uri: str, told: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(uri)

    assert str(refused.value) == told


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/prefix", "gs://bucket/prefix"])
def test_remote_uri_opens_a_bucket_before_anything_is_asked(uri: str) -> None:
    assert open_store(f"{uri}/").uri == uri
