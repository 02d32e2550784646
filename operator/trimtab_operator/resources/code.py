"""How the user's code and data come into a pod: mounted, or fetched before its containers start."""

from urllib.parse import urlsplit

from trimtab_api.plan import Plan
from trimtab_api.task import ArchiveSource, DataSource, PvcSource
from trimtab_operator.resources.parts import Json, Part, claim_volume, joined, literal, read_only_mount
from trimtab_operator.resources.store import claim_of

CODE_FOLDER = "/trimtab/code"
DATA_FOLDER = "/trimtab/data"
ARCHIVE_FOLDER = "/trimtab/archive"
_VOLUME = "trimtab-code"


def code_folder(plan: Plan) -> str | None:
    """Return where the entrypoint's module lies; None when it is installed in the image."""
    code = plan.spec.task.code
    return CODE_FOLDER if code and not code.image else None


def code_part(plan: Plan) -> Part:
    """Return the volume that holds the code, and its mount; an archive's is empty until it was fetched."""
    code = plan.spec.task.code
    if code is None or code.image:
        return Part()
    if code.config_map:
        volume = {"name": _VOLUME, "configMap": {"name": code.config_map}}
        return Part(volumes=(volume,), mounts=(read_only_mount(_VOLUME, CODE_FOLDER),))
    if code.pvc:
        volume = claim_volume(_VOLUME, code.pvc.claim, read_only=True)
        return Part(volumes=(volume,), mounts=(read_only_mount(_VOLUME, CODE_FOLDER, code.pvc.path),))
    return Part(volumes=({"name": _VOLUME, "emptyDir": {}},), mounts=(read_only_mount(_VOLUME, CODE_FOLDER),))


def data_part(plan: Plan) -> Part:
    """Return the mounts of the data that lies on a claim or in a ConfigMap, each below its name."""
    return joined(*(_data(index, source) for index, source in enumerate(plan.spec.task.data)))


def _data(index: int, source: DataSource) -> Part:
    """Return the mount of one set of data; nothing for a URI, from where the workers fetch it."""
    name, path = f"trimtab-data-{index}", f"{DATA_FOLDER}/{source.name}"
    if source.config_map:
        volume = {"name": name, "configMap": {"name": source.config_map}}
        return Part(volumes=(volume,), mounts=(read_only_mount(name, path),))
    on_claim = _on_claim(source)
    if on_claim is None:
        return Part()
    volume = claim_volume(name, on_claim.claim, read_only=True)
    return Part(volumes=(volume,), mounts=(read_only_mount(name, path, on_claim.path),))


def _on_claim(source: DataSource) -> PvcSource | None:
    """Return the claim that the data lies on, whichever way it is named; None when it lies elsewhere."""
    claim = claim_of(source.uri or "")
    if claim is None:
        return source.pvc
    return PvcSource(claim=claim, path=urlsplit(source.uri or "").path.strip("/") or None)


def fetched_archive(plan: Plan) -> ArchiveSource | None:
    """Return the archive that is fetched and unpacked before a pod's containers start, if there is one."""
    return plan.spec.task.code.archive if plan.spec.task.code else None


def archive_part(archive: ArchiveSource) -> Part:
    """Return what only the container has that fetches: the code's folder to write to, the claim to read."""
    writable: Json = {"name": _VOLUME, "mountPath": CODE_FOLDER}
    claim = claim_of(archive.uri)
    if claim is None:
        return Part(mounts=(writable,))
    return Part(
        volumes=(claim_volume("trimtab-archive", claim, read_only=True),),
        mounts=(writable, read_only_mount("trimtab-archive", ARCHIVE_FOLDER)),
    )


def archive_command(archive: ArchiveSource) -> list[str]:
    """Return the command that fetches: the user's text is arguments, which nothing reads before."""
    on_claim = claim_of(archive.uri) is not None
    uri = f"file://{ARCHIVE_FOLDER}{urlsplit(archive.uri).path}" if on_claim else archive.uri
    options = ["--uri", literal(uri), "--sha256", archive.sha256, "--to", CODE_FOLDER]
    return ["python", "-m", "trimtab_jobs.fetch", *options]
