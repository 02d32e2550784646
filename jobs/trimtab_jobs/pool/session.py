"""What lives as long as a worker: its setup, the store, the user's task, a scratch folder, a cache."""

import importlib
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from trimtab_jobs.pool.base import WorkerSetup
from trimtab_jobs.pool.code import EVERY_FILE, code_digest
from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.store import Store, open_store

LOAD_TASK = "trimtab_jobs.tasks.loading:load_task"
"""By name, as every work: tasks stand above the pool."""
LOCAL_DATA = "trimtab_jobs.cached:local_data"


class Session:
    """One per worker, handed to every function it runs; opens and imports only what it is asked for."""

    def __init__(self, setup: WorkerSetup) -> None:
        self.setup = setup
        self.cache: dict[str, Any] = {}
        """Free for the functions that run here, such as loaded data: kept from work to work."""
        self._argv = sys.argv
        if setup.code is not None:
            sys.path.insert(0, setup.code)

    @cached_property
    def store(self) -> Store:
        """The run's store."""
        return open_store(self.setup.store_uri)

    @cached_property
    def scratch(self) -> Path:
        """A folder of this worker's own, removed with it."""
        return Path(tempfile.mkdtemp(prefix="trimtab-"))

    @cached_property
    def data(self) -> Mapping[str, str]:
        """Local path of each named set of data; the first who asks for it on a node fetches it.

        ConfigurationError when it is not there or another one, StoreError when the network fails.
        """
        paths: Mapping[str, str] = resolve(LOCAL_DATA)(self.setup.data)
        return paths

    def task(self) -> Any:
        """The user's task, constructed once; CodeError with what to add when it cannot be."""
        if "task" not in self.cache:
            setup = self.setup
            _check_code(setup)
            sys.argv = self._argv[:1]  # what a script's argparse reads: the worker's own would end it
            load_task = resolve(LOAD_TASK)
            given = setup.model is not None and setup.model.is_onnx
            self.cache["task"] = load_task(setup.entrypoint, setup.args, setup.code, self.data, given)
            _limit_threads(setup.threads)
        return self.cache["task"]

    def close(self) -> None:
        """Remove the scratch folder, and the user's modules from a process that outlives the session."""
        sys.argv = self._argv
        if "scratch" in self.__dict__:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if self.setup.code is not None:
            _forget_modules(self.setup.code)


def _check_code(setup: WorkerSetup) -> None:
    """CodeError when the code is not in the state that the run began with: a mounted folder may change."""
    if setup.code_sha256 and code_digest(setup.entrypoint, setup.code, EVERY_FILE) != setup.code_sha256:
        raise CodeError(
            "spec.task.code: the code has changed since the run began; put it back, or make a new job"
        )


def resolve(name: str) -> Any:
    """What `module:attribute` names, imported on the way."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _limit_threads(threads: int) -> None:
    # Only where the task has loaded torch: importing it here would cost seconds for nothing.
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


def _forget_modules(folder: str) -> None:
    if folder in sys.path:
        sys.path.remove(folder)
    root = Path(folder).resolve()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and root in Path(file).resolve().parents:
            del sys.modules[name]
