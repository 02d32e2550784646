"""What of the language this version carries out."""

from trimtab_api.errors import Problem
from trimtab_api.job import OptimizationJob


def refusals(job: OptimizationJob) -> tuple[Problem, ...]:
    """Return the fields of a job that this version does not carry out yet."""
    return ()


def cluster_only(job: OptimizationJob) -> tuple[str, ...]:
    """Return the fields of a job that only a cluster uses."""
    return ()
