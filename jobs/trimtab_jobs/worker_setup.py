"""What workers need of the user's, from the plan."""

from collections.abc import Mapping

from trimtab_api.plan import Plan
from trimtab_api.reading import read_scalar
from trimtab_jobs.pool import DataPlace, GivenModel, WorkerSetup


def setup_of(
    plan: Plan, store_uri: str, code: str | None, data: Mapping[str, str], model: str | None = None
) -> WorkerSetup:
    """What each worker needs: the task's arguments are read as YAML scalars.

    `data` says where each set of data lies, as a path or a URI.
    `model` is where the given model lies on this machine, when the plan's URI is a path of the manifest's
    folder.
    """
    task = plan.spec.task
    arguments = {name: read_scalar(text) for name, text in task.args.items()}
    return WorkerSetup(
        store_uri, task.entrypoint, arguments, code, data_places(plan, data), model=_given_model(plan, model)
    )


def data_places(plan: Plan, places: Mapping[str, str]) -> dict[str, DataPlace]:
    """Where each set of data lies, with the digest that the manifest says it has."""
    digests = {source.name: source.sha256 for source in plan.spec.task.data}
    return {name: DataPlace(uri, digests[name]) for name, uri in places.items()}


def _given_model(plan: Plan, place: str | None) -> GivenModel | None:
    if plan.spec.model is None:
        return None
    pretrained = plan.spec.model.pretrained
    return GivenModel(place or pretrained.uri, pretrained.sha256)
