"""Many small objects at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from trimtab_jobs import alive
from trimtab_jobs.store.base import Store
from trimtab_jobs.store.errors import MissingError
from trimtab_jobs.store.patience import Patience

_THREADS = 16
_SLICE = 64  # fewer than this are not worth a thread


def get_all(store: Store, keys: Sequence[str]) -> list[bytes | None]:
    """The objects under `keys`, None for those that are missing; side by side, as a bucket answers slowly."""
    size = max(_SLICE, -(-len(keys) // _THREADS))
    slices = [keys[start : start + size] for start in range(0, len(keys), size)]
    if len(slices) < 2:
        return _get_each(store, keys)
    alive.sign(2 * Patience.usual().total)  # the threads give no sign of life
    with ThreadPoolExecutor(_THREADS) as pool:
        return [body for bodies in pool.map(lambda part: _get_each(store, part), slices) for body in bodies]


def _get_each(store: Store, keys: Sequence[str]) -> list[bytes | None]:
    return [_get(store, key) for key in keys]


def _get(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except MissingError:
        return None
