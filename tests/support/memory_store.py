"""A store in memory: the smallest one that passes the contract suite."""

import threading
from pathlib import Path

from trimtab_jobs.store.base import checked_key, checked_prefix
from trimtab_jobs.store.errors import ExistsError, MissingError, StoreError


class MemoryStore:
    uri = "memory://"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes:
        try:
            return self.objects[checked_key(key)]
        except KeyError:
            raise MissingError(f"{key}: not there") from None

    def put(self, key: str, body: bytes) -> None:
        with self._lock:
            self._refuse_folders(checked_key(key))
            self.objects[key] = body

    def create(self, key: str, body: bytes) -> None:
        with self._lock:
            self._refuse_folders(checked_key(key))
            if key in self.objects:
                raise ExistsError(f"{key}: already there")
            self.objects[key] = body

    def list(self, prefix: str = "") -> list[str]:
        folder = checked_prefix(prefix)
        return sorted(key for key in self.objects if not folder or key.startswith(f"{folder}/"))

    def delete(self, key: str) -> None:
        self.objects.pop(checked_key(key), None)

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get_file(self, key: str, path: Path) -> None:
        body = self.get(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def _refuse_folders(self, key: str) -> None:
        if any(each.startswith(f"{key}/") or key.startswith(f"{each}/") for each in self.objects):
            raise StoreError(f"{key}: a key cannot be another key's folder")
