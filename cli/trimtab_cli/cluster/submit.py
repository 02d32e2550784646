"""`trimtab submit`: a manifest to a cluster, checked here first, created or edited there."""

from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.options import Access, access_options
from trimtab_cli.formats import format_option, name_of, written
from trimtab_cli.options import manifest_argument, set_option

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.submission import Submission
    from trimtab_cli.manifest import Manifest

Document = dict[str, Any]
PERSONAL = ("trimtab", "kubectl", "before-first-apply")
"""Beginnings of the names under which a person's own tools write: their fields may be taken over."""


@click.command(short_help="Send a manifest to a cluster.")
@manifest_argument
@click.option(
    "--code",
    metavar="DIR",
    help="Folder whose modules go along in a ConfigMap, where the manifest brings no code.  "
    "[default: the manifest's, if the entrypoint's module lies there]",
)
@set_option
@click.option(
    "--dry-run",
    type=click.Choice(["client", "server"]),
    help="Change nothing: client checks here and asks no cluster, server has the API server judge as well.",
)
@click.option("--wait", "waits", is_flag=True, help="Wait for the job's end, as trimtab wait does.")
@click.option("--watch", "watches", is_flag=True, help="Show the job until its end, as trimtab watch does.")
@access_options
@format_option("text", "json", "yaml", "name")
@click.pass_context
def submit(  # noqa: PLR0913  one parameter for each option
    ctx: click.Context,
    manifest: str,
    code: str | None,
    given: tuple[str, ...],
    dry_run: str | None,
    waits: bool,
    watches: bool,
    access: Access,
    form: str | None,
) -> None:
    """Send MANIFEST (a file, or - for standard input) to a cluster: create the job, or edit it.

    The manifest is checked here first, every problem a line with its place and exit code 2. The ConfigMaps
    of its stream go before the job; other documents are left to kubectl apply, and named. Where the manifest
    names no code and the entrypoint's module lies beside it, as for trimtab run, the modules of that folder
    go along as the ConfigMap JOB-code, which is deleted with the job.

    A job that exists takes edits of search.trials, search.parallelism, budget, retry, suspend and
    ttlSecondsAfterFinished; any other is refused. A field that a GitOps tool holds is left to it.

    As JSON or YAML the answer is the job as the API server has it, at its end with --wait; with --dry-run it
    is all that would be sent.
    """
    from trimtab_cli.assignments import assignments
    from trimtab_cli.manifest import read_manifest

    if (waits or watches) and (dry_run or waits is watches):
        raise click.UsageError("--wait, --watch and --dry-run exclude each other")
    parsed = read_manifest(manifest, given=assignments(given), where="cluster")
    if dry_run == "client":
        show(_rehearsed(parsed, access, code), "valid (dry run, no cluster asked)", form)
        return
    answers, done = _sent(parsed, access, code, dry_run == "server")
    if form is None or not (waits or watches):
        show(answers, done, form)
    where = Access(namespace_of(parsed, access), access.context, access.kubeconfig)
    if waits or watches:
        ctx.exit((_waited if waits else _watched)(parsed.job.metadata.name, where, form))


def _waited(name: str, access: Access, form: str | None) -> int:
    from trimtab_cli.cluster.show import show_job
    from trimtab_cli.cluster.wait import wait_for

    code = wait_for((name,), access, err=form is not None)
    if form is not None:
        show_job(name, access, form)
    return code


def _watched(name: str, access: Access, form: str | None) -> int:
    from trimtab_cli.cluster.watch import watch_job

    return watch_job(name, access, "auto", form)


def _rehearsed(parsed: "Manifest", access: Access, code: str | None) -> list[Document]:
    """All that would be sent."""
    from trimtab_cli.cluster.submission import submission

    namespace = namespace_of(parsed, access) or "default"
    planned = submission(parsed, namespace, code)
    _say(planned)
    return list(planned.documents)


def _sent(parsed: "Manifest", access: Access, code: str | None, is_dry: bool) -> tuple[list[Document], str]:
    """What the API server made of it, the job or all of a dry run, and that in words."""
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.submission import submission

    with connect(access) as api:
        namespace = namespace_of(parsed, access) or api.namespace
        planned = submission(parsed, namespace, code)
        jobs = Jobs(api, namespace)
        _check_code(jobs, planned, parsed)
        _say(planned)
        before = jobs.find(planned.job["metadata"]["name"])
        answers = send(jobs, planned, is_dry)
    job = answers[-1]
    done = "valid (dry run by the API server)" if is_dry else change(before, job)
    return answers if is_dry else [job], f"{done} in namespace {namespace}"


def namespace_of(parsed: "Manifest", access: Access) -> str | None:
    """The namespace that manifest and command line name; UsageError when they name two."""
    named = parsed.job.metadata.namespace
    if named and access.namespace and named != access.namespace:
        raise click.UsageError(
            f"-n {access.namespace}: the manifest says metadata.namespace: {named}; leave one of them out"
        )
    return access.namespace or named


def _check_code(jobs: "Jobs", planned: "Submission", parsed: "Manifest") -> None:
    """Refuse a job whose ConfigMap of code is neither sent nor there."""
    from trimtab_api.errors import Problem
    from trimtab_cli.cluster.submission import CODE
    from trimtab_cli.manifest import refuse

    code = parsed.job.spec.task.code
    name = code.config_map if code else None
    sent = {each["metadata"]["name"] for each in planned.config_maps}
    if name and name not in sent and not jobs.has_config_map(name):
        why = f"ConfigMap {name} is neither in this stream nor in namespace {jobs.namespace}: give --code DIR"
        refuse(parsed, [Problem(CODE, why)])


def send(jobs: "Jobs", planned: "Submission", is_dry: bool) -> list[Document]:
    """What the API server made of each document, the job last; what was made for the job becomes its own."""
    from trimtab_cli.cluster.submission import owned

    answers = [applied(jobs, each, is_dry) for each in planned.documents]
    if planned.made and not is_dry:
        applied(jobs, owned(planned.config_maps[-1], answers[-1]), is_dry)
    return answers


def applied(jobs: "Jobs", document: Document, is_dry: bool) -> Document:
    """The object after a server-side apply; fields of a person's other tools are taken over, no others."""
    from trimtab_cli.cluster.errors import ClusterError, ConflictError
    from trimtab_operator.kinds import KINDS

    path = KINDS[document["kind"]].path_of(document)
    try:
        return jobs.api.apply(path, document, is_dry=is_dry)
    except ConflictError as error:
        others = [each for each in error.managers if not each.startswith(PERSONAL)]
        if others:
            what = f"{document['kind']} {document['metadata']['name']}"
            raise ClusterError(
                f"{what}: {', '.join(error.fields)} is held by {', '.join(others)}: change it there"
            ) from None
        return jobs.api.apply(path, document, is_dry=is_dry, force=True)


def change(before: Document | None, after: Document) -> str:
    """What was done, in kubectl's words."""
    if before is None:
        return "created"
    same = before["metadata"]["generation"] == after["metadata"]["generation"]
    return "unchanged" if same else "configured"


def show(documents: list[Document], done: str, form: str | None) -> None:
    """Print the answer in the form that was asked for."""
    *_, job = documents
    if form == "name":
        click.echo(name_of(job["metadata"]["name"]))
    elif form == "yaml":
        click.echo("\n---\n".join(written(_bare(each), "yaml") for each in documents))
    elif form == "json":
        several = {"apiVersion": "v1", "kind": "List", "items": [_bare(each) for each in documents]}
        click.echo(written(several if len(documents) > 1 else _bare(job), "json"))
    else:
        click.echo(f"{job['metadata']['name']}: {done}")


def _bare(document: Document) -> Document:
    """The object without the server's notes of who wrote which field."""
    metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    return {**document, "metadata": metadata}


def _say(planned: "Submission") -> None:
    for note in planned.notes:
        click.echo(note, err=True)
