"""A machine on which nodes cannot run says in one line what to do."""

from pathlib import Path

import pytest

from tests.cluster import packages
from tests.cluster.packages import PACKAGES, check_machine, missing_packages
from tests.cluster.programs import UnavailableError


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing is installed, and this is root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packages, "FOLDERS", str(tmp_path))
    monkeypatch.setattr(packages, "PACKAGES", {name.rpartition("/")[2]: PACKAGES[name] for name in PACKAGES})
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return monkeypatch


def test_user_is_told_that_nodes_need_root(bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(UnavailableError, match="run the tests as root"):
        check_machine()


def test_missing_packages_are_in_the_command_that_installs_them(bare_machine: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError) as raised:
        check_machine()

    command = f"sudo apt-get install --no-install-recommends {' '.join(PACKAGES.values())},"
    assert command in str(raised.value)


def test_package_is_there_when_its_program_is(bare_machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "runc").touch(mode=0o755)

    assert set(PACKAGES.values()) - set(missing_packages()) == {"runc"}


def test_missing_kernel_module_is_named(bare_machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare_machine.setattr(packages, "PACKAGES", {})
    bare_machine.setattr(packages, "BRIDGE_FILTER", tmp_path / "bridge")

    with pytest.raises(UnavailableError, match="sudo modprobe br_netfilter"):
        check_machine()
