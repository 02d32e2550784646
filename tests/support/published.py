"""What a job's status says that it has published, against its store."""

import hashlib
from typing import Any

from trimtab_jobs.store import Store


def assert_published(store: Store, status: dict[str, Any]) -> None:
    """The model in the store is the one that the status names."""
    (artifact,) = (each for each in status["artifacts"] if each["name"] == "model.onnx")
    published = store.get(artifact["uri"].removeprefix(f"{store.uri}/"))
    assert hashlib.sha256(published).hexdigest() == artifact["sha256"]
    assert len(published) == artifact["bytes"]
