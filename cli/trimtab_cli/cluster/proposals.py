"""Names that a shell may complete, from the API server; none where it does not answer quickly."""

import click

from trimtab_cli.cluster.access import connect
from trimtab_cli.cluster.options import Access
from trimtab_operator.kinds import JOB, NAMESPACE, Kind

QUICK_SECONDS = 3.0
MOST = "500"
"""Names that are asked for."""


def job_names(access: Access, beginning: str) -> list[str]:
    """Names of the namespace's jobs that begin so."""
    return _names(access, JOB, beginning)


def namespace_names(access: Access, beginning: str) -> list[str]:
    """Names of the cluster's namespaces that begin so."""
    return _names(access, NAMESPACE, beginning)


def _names(access: Access, kind: Kind, beginning: str) -> list[str]:
    try:
        with connect(access, QUICK_SECONDS) as api:
            found = api.read(kind.path(api.namespace), limit=MOST)["items"]
    except click.ClickException:  # the person sees no proposals, as for a word that nothing begins with
        return []
    names = (str(each["metadata"]["name"]) for each in found)
    return [name for name in names if name.startswith(beginning)]
