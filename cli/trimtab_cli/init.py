"""`trimtab init`: a small folder that runs as it is, and is then made one's own."""

import re
from importlib.resources import files
from pathlib import Path
from shlex import quote

import click

FILES = ("task.py", "job.yaml")


@click.command(short_help="Write a small task and manifest that run as they are.")
@click.argument("folder", metavar="[FOLDER]", default="my-model")
def init(folder: str) -> None:
    """Write a starter task and manifest to FOLDER (my-model unless named).

    They run as they are. Nothing that exists is ever overwritten.
    """
    place = Path(folder)
    name = job_name(place)
    taken = [str(place / file) for file in FILES if (place / file).exists()]
    if taken:
        raise click.UsageError(
            f"{', '.join(taken)}: exists already and is left as it is; name another folder"
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            (place / file).write_text(starter(file, name, place), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{place}: cannot be written: {error.strerror}") from None
    click.echo(f"Wrote {' and '.join(str(place / file) for file in FILES)}. Next:")
    manifest = quote(str(place / "job.yaml"))
    click.echo(f"  trimtab validate --code {manifest}")
    click.echo(f"  trimtab run {manifest}")


def job_name(place: Path) -> str:
    """The job's name from the folder's; UsageError when it cannot be one in Kubernetes."""
    name = place.resolve().name
    if re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        return name
    proposal = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-") or "my-model"
    raise click.UsageError(
        f"{name!r} cannot name a job: use lower-case letters, digits and '-', such as {proposal}"
    )


def starter(file: str, name: str, place: Path) -> str:
    """The content of a starter file for a job of that name."""
    template = files("trimtab_cli").joinpath("starter", f"{file}.tmpl").read_text(encoding="utf-8")
    return template.format(name=name, place=place) if file == "job.yaml" else template
