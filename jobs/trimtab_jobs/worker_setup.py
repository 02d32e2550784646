"""What workers need of the user's, from the plan, and whether its data are there before any is started."""

from collections.abc import Mapping

from trimtab_api.plan import Plan
from trimtab_api.reading import read_scalar
from trimtab_jobs.cached import DataError, blamed, check_there, data_field
from trimtab_jobs.errors import RefusedError
from trimtab_jobs.pool import DataPlace, GivenModel, WorkerSetup
from trimtab_jobs.store.origin import local_path


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
    places = {name: _for_workers(place) for name, place in data_places(plan, data).items()}
    search = plan.spec.resources.search if plan.spec.resources else None
    return WorkerSetup(
        store_uri,
        task.entrypoint,
        arguments,
        code,
        places,
        model=_given_model(plan, model),
        trial_memory=search.per_trial.memory if search and search.per_trial else None,
    )


def data_places(plan: Plan, data: Mapping[str, str]) -> dict[str, DataPlace]:
    """Where each set of data lies, with the digest that the manifest says it has."""
    digests = {source.name: source.sha256 for source in plan.spec.task.data}
    return {name: DataPlace(uri, digests[name]) for name, uri in data.items()}


def check_data(places: Mapping[str, DataPlace]) -> None:
    """Verify what lies on this machine, and ask for what does not without fetching it.

    RefusedError when it is not there or another one; StoreError when a server does not answer.
    """
    for name, place in places.items():
        try:
            with blamed(data_field(name)):
                check_there(place.uri, place.sha256)
        except DataError as error:
            raise RefusedError(str(error)) from None


def _for_workers(place: DataPlace) -> DataPlace:
    """The place as workers get it: what is local was verified by the driver, once for all of them."""
    return DataPlace(place.uri) if local_path(place.uri) else place


def _given_model(plan: Plan, place: str | None) -> GivenModel | None:
    if plan.spec.model is None:
        return None
    pretrained = plan.spec.model.pretrained
    return GivenModel(place or pretrained.uri, pretrained.sha256)
