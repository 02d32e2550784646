"""The store: everything durable of a run, behind one small protocol, and the record that drivers share."""

from trimtab_jobs.store.base import Store
from trimtab_jobs.store.check import check_store
from trimtab_jobs.store.errors import ExistsError, FencedError, FullError, MissingError, StoreError
from trimtab_jobs.store.record import Record, recorded
from trimtab_jobs.store.uri import open_store

__all__ = [
    "ExistsError",
    "FencedError",
    "FullError",
    "MissingError",
    "Record",
    "Store",
    "StoreError",
    "check_store",
    "open_store",
    "recorded",
]
