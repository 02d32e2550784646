"""Whether a store can carry a run, found out before anything is computed."""

import secrets

from trimtab_jobs.store.base import Store
from trimtab_jobs.store.errors import ExistsError, StoreError


def check_store(store: Store) -> None:
    """Return when the store can be written, read, listed and keeps to create-only writes; else StoreError.

    Fencing stands on create-only writes: a store that takes a second one for the same key would let two
    drivers run into each other. Nothing is left behind.
    """
    key = f"probe/{secrets.token_hex(8)}"
    store.create(key, b"first")
    try:
        _check_create_only(store, key)
        if store.get(key) != b"first" or store.list("probe").count(key) != 1:
            raise StoreError(f"{store.uri}: does not return what was written; choose another --output")
    finally:
        store.delete(key)


def _check_create_only(store: Store, key: str) -> None:
    try:
        store.create(key, b"second")
    except ExistsError:
        return
    raise StoreError(
        f"{store.uri}: ignores conditional writes (If-None-Match), so two drivers could overwrite each "
        "other; choose a store that keeps to them, or a newer version of this one"
    )
