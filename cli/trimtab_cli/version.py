"""`trimtab version`: what is installed, in a form to paste into a report of a problem."""

import platform
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed_version

import click

from trimtab_cli.formats import format_option, written

PACKAGES = ("torch", "ray", "optuna", "onnx", "onnxruntime", "numpy", "pydantic")
"""What results depend on most."""


@click.command(short_help="Say what is installed.")
@format_option("text", "json", "yaml")
def version(form: str | None) -> None:
    """Say which version this is, and of what results depend on most."""
    found = versions()
    if form in ("json", "yaml"):
        click.echo(written(found, form))
        return
    for name, number in found.items():
        click.echo(f"{name} {number or 'not installed'}")


def versions() -> dict[str, str | None]:
    """Version by name; None of what is not installed."""
    return {"trimtab": installed("trimtab"), "python": platform.python_version()} | {
        name: installed(name) for name in PACKAGES
    }


def installed(package: str) -> str | None:
    """The version of an installed package, or None; it is not imported."""
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return None


def pins() -> tuple[tuple[str, str, str], ...]:
    """Package, version and extra ("" for the base) of each pin that this distribution was tested with."""
    found = []
    for requirement in requires("trimtab") or []:
        pinned, _, marker = requirement.partition(";")
        name, equal, number = pinned.strip().partition("==")
        extra = marker.partition("extra ==")[2].strip(" '\"")
        if equal:
            found.append((name, number.strip(), extra))
    return tuple(found)
