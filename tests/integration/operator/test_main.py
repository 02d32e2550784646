"""The operator in this very process: what it hears from watches, and how it ends."""

import _thread
import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.processes import StartError
from tests.support.cluster import ApiServer
from tests.support.operated import condition_of, profile
from trimtab_operator.__main__ import main

Document = dict[str, Any]
NAMESPACE = "in-process"


@pytest.fixture
def operator_settings(api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of an operator for one namespace; the log is pytest's again afterwards."""
    settings = {"KUBECONFIG": api_server.plane.kubeconfig, "NAMESPACES": NAMESPACE, "LEASE_NAME": NAMESPACE}
    for name, value in settings.items():
        monkeypatch.setenv(f"TRIMTAB_OPERATOR_{name}", str(value))
    for port in ("HEALTH", "METRICS"):
        monkeypatch.setenv(f"TRIMTAB_OPERATOR_{port}_PORT", "0")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def job(name: str) -> Document:
    spec = {"profile": NAMESPACE, "task": {"entrypoint": "digits:Digits"}}
    metadata = {"name": name, "namespace": NAMESPACE}
    kind = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob"}
    return {**kind, "metadata": metadata, "spec": spec}


class Stranger(threading.Thread):
    """A user of the cluster, at the end of whose work the operator is told to end."""

    def __init__(self, server: ApiServer) -> None:
        super().__init__()
        self.server = server
        self.reasons: list[str] = []

    def run(self) -> None:
        try:
            document = self.server.create(job("digits"))
            self.wait_for("ProfileNotFound", document)
            self.server.create(profile(NAMESPACE))
            self.wait_for("Admitted", document)
            self.server.delete(profile(NAMESPACE))
            self.wait_for("ProfileNotFound", self.server.create(job("mnist")))
        except StartError:
            _thread.interrupt_main()
            raise
        os.kill(os.getpid(), signal.SIGTERM)

    def wait_for(self, reason: str, document: Document) -> None:
        """Return once the condition Accepted has this reason."""

        def is_so() -> bool:
            return bool(condition_of(self.server.get(document), "Accepted")["reason"] == reason)

        self.server.wait_until(reason, is_so)
        self.reasons.append(reason)


def test_watches_tell_of_jobs_and_profiles_until_the_process_is_told_to_end(
    api_server: ApiServer, operator_settings: None
) -> None:
    stranger = Stranger(api_server)
    stranger.start()
    code = main()
    stranger.join()

    assert (code, stranger.reasons) == (0, ["ProfileNotFound", "Admitted", "ProfileNotFound"])


def test_settings_that_are_wrong_are_named(
    operator_settings: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIMTAB_OPERATOR_CONCURRENCY", "0")

    assert main() == 2
    assert capsys.readouterr().err == "TRIMTAB_OPERATOR_CONCURRENCY=0: Input should be greater than 0\n"


def test_lease_that_is_lost_ends_the_process(
    api_server: ApiServer, operator_settings: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {"DURATION": "3", "RENEW": "1", "RETRY": "0.2"}
    for name, seconds in times.items():
        monkeypatch.setenv(f"TRIMTAB_OPERATOR_LEASE_{name}_SECONDS", seconds)
    monkeypatch.setenv("TRIMTAB_OPERATOR_LEASE_NAME", "to-be-lost")
    metadata = {"name": "to-be-lost", "namespace": "default"}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}

    def take() -> None:
        api_server.wait_until("the Lease is there", lambda: api_server.find(lease) is not None)
        api_server.patch(lease, {"spec": {"holderIdentity": "another"}})

    thief = threading.Thread(target=take)
    thief.start()
    code = main()
    thief.join()

    assert code == 1
