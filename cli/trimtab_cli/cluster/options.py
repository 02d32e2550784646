"""Options and arguments of the commands for a cluster, in the words of kubectl. Imports click alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from trimtab_cli.options import Complete

P = ParamSpec("P")
R = TypeVar("R")
OPTIONS = ("namespace", "context", "kubeconfig")


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster and namespace a command line means; what is None is as the kubeconfig says."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the command line names a cluster at all."""
        return self != Access()


def jobs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Names of the jobs of the namespace on the command line."""
    from trimtab_cli.cluster.proposals import job_names

    return map(CompletionItem, job_names(given_access(ctx), incomplete))


def namespaces(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Names of the cluster's namespaces."""
    from trimtab_cli.cluster.proposals import namespace_names

    return map(CompletionItem, namespace_names(given_access(ctx), incomplete))


def given_access(ctx: click.Context) -> Access:
    """What the command line, as far as it is written, says of the cluster."""
    return Access(**{name: ctx.params.get(name) for name in OPTIONS})


def access_options(command: Callable[..., R]) -> Callable[..., R]:
    """The options -n, --context and --kubeconfig; the command gets them as its argument `access`."""

    @click.option(
        "-n",
        "--namespace",
        type=Complete(namespaces),
        metavar="NAMESPACE",
        help="Namespace of the job.  [default: that of the kubeconfig's context]",
    )
    @click.option("--context", metavar="NAME", help="Context of the kubeconfig.  [default: its current one]")
    @click.option(
        "--kubeconfig",
        metavar="FILE",
        help="Where the cluster and its credentials stand.  [default: KUBECONFIG, else ~/.kube/config]",
    )
    @wraps(command)
    def with_access(
        *args: Any, namespace: str | None, context: str | None, kubeconfig: str | None, **others: Any
    ) -> R:
        return command(*args, access=Access(namespace, context, kubeconfig), **others)

    return with_access


job_argument = click.argument("job", metavar="JOB", type=Complete(jobs))
jobs_argument = click.argument("names", metavar="[JOB]...", nargs=-1, type=Complete(jobs))
all_option = click.option("--all", "every", is_flag=True, help="All jobs of the namespace.")


def named(names: tuple[str, ...], every: bool) -> tuple[str, ...]:
    """The names of the jobs on the command line; UsageError unless either names or --all were given."""
    from trimtab_cli.cluster.target import job_name

    if bool(names) == every:
        raise click.UsageError("name the jobs, or give --all; not both")
    return tuple(dict.fromkeys(map(job_name, names)))
