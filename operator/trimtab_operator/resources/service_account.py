"""ServiceAccount <job>-driver: who the driver is on the API server."""

from typing import Any

from trimtab_api.profile import ProfileSpec
from trimtab_operator.names import Owner, driver_name, job_labels
from trimtab_operator.resources.metadata import child_metadata


def store_account(profile: ProfileSpec) -> str | None:
    """Return the service account that the profile gives to pods for the store; None: they need none."""
    return profile.store.service_account if profile.store else None


def driver_account(owner: Owner, profile: ProfileSpec) -> str:
    """Return the service account of the head: the store's, where there is one, else the job's own."""
    return store_account(profile) or driver_name(owner.name)


def build_service_account(owner: Owner) -> dict[str, Any]:
    """Return the account; a pod gets its token only where its template asks for it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": child_metadata(owner, driver_name(owner.name), job_labels(owner)),
        "automountServiceAccountToken": False,
    }
