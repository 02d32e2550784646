"""What workers need of the user's, from the plan."""

from collections.abc import Mapping

from trimtab_api.plan import Plan
from trimtab_api.reading import read_scalar
from trimtab_jobs.pool import WorkerSetup


def setup_of(plan: Plan, store_uri: str, code: str | None, data: Mapping[str, str]) -> WorkerSetup:
    """What each worker needs: the task's arguments are read as YAML scalars."""
    task = plan.spec.task
    arguments = {name: read_scalar(text) for name, text in task.args.items()}
    return WorkerSetup(store_uri, task.entrypoint, arguments, code, dict(data))
