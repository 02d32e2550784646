"""`trimtab logs` of a job of a cluster: the driver's from its pod, all others from the job's store."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.options import Access
from trimtab_cli.cluster.show import options_of

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs

Document = dict[str, Any]
SECONDS_BETWEEN_LOOKS = 2.0


def job_logs(name: str, access: Access, log: str | None, tail: int | None, follow: bool) -> Iterator[str]:
    """The text of a log of a job; of the driver's without a log's name, while its pod is there.

    Where it is not, the logs in the store are listed.
    """
    from trimtab_cli.cluster import driver_log
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.errors import MissingError
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.reading import has_ended

    with connect(access) as api:
        jobs = Jobs(api)
        job = jobs.get(name)
        if log not in (None, "driver"):
            yield from _stored(job, jobs, str(log), tail, follow)
            return
        if follow:
            yield from driver_log.followed(jobs, name, tail, _pause)
            return
        pod = driver_log.submitter_of(jobs.pods(name))
        if pod is not None:
            yield from driver_log.printed(jobs, pod, tail)
        elif not has_ended(job):
            what = f"trimtab get {name}{options_of(access)}"
            raise MissingError(f"{name}: its driver does not run; {what} says where the job stands")
        elif log == "driver":
            raise MissingError(driver_log.GONE.format(job=f"{name}{options_of(access)}"))
        else:
            click.echo("the driver's pod is not there; the store has:", err=True)
            yield from _listed(job, jobs)


def _stored(job: Document, jobs: "Jobs", log: str, tail: int | None, follow: bool) -> Iterator[str]:
    from trimtab_cli.cluster.store import opened_store
    from trimtab_cli.logs import followed, last_lines, whole

    with opened_store(job, jobs, f"trimtab logs {{store}} {log}") as store:
        if follow:
            yield from followed(store, log, tail, _pause)
        else:
            yield last_lines(whole(store, log), tail)


def _listed(job: Document, jobs: "Jobs") -> Iterator[str]:
    from trimtab_cli.cluster.store import opened_store
    from trimtab_cli.logs import listing

    with opened_store(job, jobs, "trimtab logs {store}") as store:
        yield from (f"{line}\n" for line in listing(store))


def _pause() -> None:
    time.sleep(SECONDS_BETWEEN_LOOKS)
