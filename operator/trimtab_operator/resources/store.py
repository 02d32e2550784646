"""Where a job keeps everything, and what its pods need to get there."""

from urllib.parse import urlsplit

from trimtab_api.plan import Plan
from trimtab_api.profile import ProfileSpec, Store
from trimtab_operator.names import Owner
from trimtab_operator.resources.parts import Part, claim_volume, read_only_mount, variable

STORE_FOLDER = "/trimtab/store"
_CERTIFICATES = "/trimtab/ca"


def store_uri(plan: Plan, owner: Owner) -> str:
    """Return the URI of a job's store as its pods open it; a claim is a folder there."""
    output = (plan.spec.output or "").rstrip("/")
    claim = claim_of(output)
    root = output if claim is None else f"file://{STORE_FOLDER}{urlsplit(output).path}"
    return f"{root}/{owner.namespace}/{owner.name}/{owner.uid}"


def claim_of(uri: str) -> str | None:
    """Return the persistent volume claim that a URI of pvc:// names; None for any other URI."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme == "pvc" else None


def store_part(plan: Plan, profile: ProfileSpec) -> Part:
    """Return what every container that reads or writes the store has: credentials, endpoint, the claim."""
    claim = claim_of(plan.spec.output or "")
    found = _access(profile.store) if profile.store else Part()
    if claim is None:
        return found
    return Part(
        env=found.env,
        env_from=found.env_from,
        volumes=(*found.volumes, claim_volume("trimtab-store", claim, read_only=False)),
        mounts=(*found.mounts, {"name": "trimtab-store", "mountPath": STORE_FOLDER}),
    )


def _access(store: Store) -> Part:
    endpoint = (variable("AWS_ENDPOINT_URL", store.endpoint.rstrip("/")),) if store.endpoint else ()
    secrets = ({"secretRef": {"name": store.secret_ref}},) if store.secret_ref else ()
    if store.ca_bundle is None:
        return Part(env=endpoint, env_from=secrets)
    path = f"{_CERTIFICATES}/ca.crt"
    bundle = {
        "name": store.ca_bundle.config_map,
        "items": [{"key": store.ca_bundle.key, "path": "ca.crt"}],
    }
    return Part(
        env=(*endpoint, variable("AWS_CA_BUNDLE", path), variable("SSL_CERT_FILE", path)),
        env_from=secrets,
        volumes=({"name": "trimtab-ca", "configMap": bundle},),
        mounts=(read_only_mount("trimtab-ca", _CERTIFICATES),),
    )
