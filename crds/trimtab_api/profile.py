"""OptimizationProfile: what the platform team offers, defaults, limits and locks."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from trimtab_api.fields import (
    Count,
    Duration,
    Endpoint,
    Image,
    Label,
    Line,
    Prefix,
    Quantity,
    ResourceName,
    Subdomain,
    Text,
    Unique,
    Uri,
)
from trimtab_api.metadata import API_VERSION, ObjectMeta
from trimtab_api.model import Check, Document, Model, rule, value_at
from trimtab_api.running import BudgetSpec, Positive, QueueSpec, ReadyPolicy, Resources
from trimtab_api.search import Storage

Hardware = Literal["x86-vnni", "x86-avx2", "arm64", "cuda"]
CodeKind = Literal["configMap", "image", "archive", "pvc"]
Labels = Annotated[dict[str, Annotated[str, StringConstraints(max_length=253)]], Field(max_length=32)]


class Images(Model):
    """Images of the Ray pods, by digest."""

    head: Image | None = None
    """Image of the head; omitted: the worker's."""
    worker: Image
    """Image of the workers."""
    pull_secrets: Annotated[tuple[Subdomain, ...], Field(max_length=8), Unique()] = ()
    """Pull secrets, by name, in the job's namespace."""


class Toleration(Model):
    """A taint that the pool's pods tolerate, as in a pod."""

    key: Line | None = None
    """Key of the taint; omitted: all."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Whether the value must be equal."""
    value: Line | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; omitted: all."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long NoExecute is tolerated."""

    @rule(
        "value",
        "!has(self.value) || !has(self.operator) || self.operator == 'Equal'",
        "must be left out with operator Exists",
    )
    def _exists_has_no_value(self) -> bool:
        return self.value is None or self.operator == "Equal"

    @rule(
        "key",
        "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
        "is required with operator Equal",
    )
    def _equal_has_a_key(self) -> bool:
        return self.key is not None or self.operator == "Exists"


class WorkerResources(Model):
    """What one worker pod of the pool requests."""

    cpu: Quantity
    """CPUs, such as 4."""
    memory: Quantity
    """Memory, such as 16Gi."""
    gpu: Annotated[int, Field(ge=0, le=64)] = 0
    """GPUs."""


class Pool(Model):
    """A kind of node on which workers run."""

    name: Label
    """Name by which jobs refer to it."""
    node_selector: Labels = Field(default_factory=dict)
    """Labels of its nodes."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = ()
    """Taints that its pods tolerate."""
    resources: WorkerResources
    """What one worker pod requests."""
    gpu_resource: ResourceName = "nvidia.com/gpu"
    """Resource name of its GPUs."""
    spot: bool = False
    """Whether nodes may be taken away at any time."""
    max_workers: Count | None = None
    """Workers of one job at most; omitted: no limit."""
    hourly_price: Annotated[float, Field(ge=0)] | None = None
    """Price of one worker per hour."""
    watts: Positive | None = None
    """Rated power of one worker, where no counter is read."""
    hardware: Hardware | None = None
    """Instruction set or accelerator, for the choice of number formats."""


class CaBundle(Model):
    """Certificates that the store is trusted by."""

    config_map: Subdomain
    """ConfigMap of the job's namespace."""
    key: Line = "ca.crt"
    """Key of the certificates in it."""


class Store(Model):
    """Where jobs keep what they find, and how they may reach it."""

    uri: Uri
    """Root under which jobs without output keep everything."""
    prefixes: Annotated[tuple[Prefix, ...], Field(max_length=16)] = ()
    """URIs of a job begin with one of these; {namespace}, {name}; omitted: <uri>/{namespace}/."""
    endpoint: Endpoint | None = None
    """Address of an S3-compatible server."""
    ca_bundle: CaBundle | None = None
    """Certificates of the endpoint."""
    service_account: Subdomain | None = None
    """Service account of the job's namespace with access to the store."""
    secret_ref: Subdomain | None = None
    """Secret of the job's namespace with the store's credentials."""

    @rule(
        "secretRef",
        "!(has(self.serviceAccount) && has(self.secretRef))",
        "must be left out with serviceAccount: credentials come from one place",
    )
    def _one_credential(self) -> bool:
        return self.service_account is None or self.secret_ref is None


class Carbon(Model):
    """How energy becomes CO2 equivalent."""

    intensity: Annotated[float, Field(ge=0, le=10_000)]
    """Grams per kWh of the grid."""
    pue: Annotated[float, Field(ge=1, le=10)] = 1.0
    """Power usage effectiveness of the site."""


class Namespaces(Model):
    """Namespaces that may use the profile."""

    names: Annotated[tuple[Label, ...], Field(max_length=256), Unique()] = ()
    """Namespaces by name."""
    match_labels: Labels = Field(default_factory=dict)
    """Namespaces by their labels."""

    @rule(
        "",
        "(has(self.names) && size(self.names) > 0) || (has(self.matchLabels) && size(self.matchLabels) > 0)",
        "must have names or matchLabels: no namespace could use the profile",
    )
    def _some_namespace(self) -> bool:
        return bool(self.names or self.match_labels)


class Allowed(Model):
    """What code may come in."""

    code: Annotated[tuple[CodeKind, ...], Field(max_length=4), Unique()] = (
        "configMap",
        "image",
        "archive",
        "pvc",
    )
    """Sources of code that jobs may name."""
    images: Annotated[tuple[Line, ...], Field(max_length=32)] = ()
    """Patterns of images that jobs may name, * for any part; omitted: any."""


class Caps(Model):
    """What one job may take at most; a job that states no budget gets these."""

    workers: Count | None = None
    """Workers of one step."""
    duration: Duration | None = None
    """Time in all attempts."""
    gpu_hours: Positive | None = None
    """GPU hours in all attempts."""
    cost: Positive | None = None
    """Cost in all attempts."""


class SearchPolicy(Model):
    """The part of a job's search that the platform may set."""

    parallelism: Annotated[int, Field(ge=1, le=256)] | None = None
    """Trials at a time."""
    storage: Storage | None = None
    """Where the study is kept."""


class JobPolicy(Model):
    """The part of a job that the platform may set: as a default or locked."""

    search: SearchPolicy | None = None
    """Of the search."""
    resources: Resources | None = None
    """Node pools and workers by step."""
    budget: BudgetSpec | None = None
    """What the job may spend."""
    queue: QueueSpec | None = None
    """Admission by Kueue."""
    output: Uri | None = None
    """Where everything is kept."""
    ready_policy: ReadyPolicy | None = None
    """When Ready turns True."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds until the Kubernetes children of a finished job are removed."""


class EnvironmentVariable(Model):
    """A variable of the containers' environment."""

    name: Line
    """Name of the variable."""
    value: Text = ""
    """Its value; secrets come by the store's secretRef or a volume."""


class Overlay(Model):
    """What is added to every Ray pod."""

    env: Annotated[tuple[EnvironmentVariable, ...], Field(max_length=64), Unique("name")] = ()
    """Variables of the containers' environment."""
    volumes: Annotated[tuple[dict[str, Any], ...], Field(max_length=16)] = ()
    """Volumes, as in a pod."""
    volume_mounts: Annotated[tuple[dict[str, Any], ...], Field(max_length=16)] = ()
    """Mounts of these volumes, as in a container."""
    security_context: dict[str, Any] | None = None
    """Security context of the pod, as in a pod."""


def _pool_known(path: str) -> Check:
    """Return the rule that a pool which a policy names is one of the profile's."""
    steps = path.split(".")
    given = " && ".join(f"has(self.{'.'.join(steps[: depth + 1])})" for depth in range(len(steps)))

    @rule(
        path,
        "!has(self.pools) || size(self.pools) == 0"
        f" || !({given}) || self.pools.exists(pool, pool.name == self.{path})",
        "must be one of pools",
    )
    def _known(profile: "ProfileSpec") -> bool:
        pool = value_at(profile, path)
        return not profile.pools or pool is None or pool in [each.name for each in profile.pools]

    return _known


class ProfileSpec(Model):
    """What the platform offers to jobs, and where it ends."""

    images: Images | None = None
    """Images of the Ray pods; omitted: those of this version of Trimtab."""
    pools: Annotated[tuple[Pool, ...], Field(max_length=32), Unique("name")] = ()
    """Kinds of nodes; omitted: any node, whatever pool a job names."""
    store: Store | None = None
    """Where jobs keep what they find; omitted: each job names its output, anywhere."""
    carbon: Carbon | None = None
    """How energy becomes CO2 equivalent."""
    namespaces: Namespaces | None = None
    """Namespaces that may use the profile; omitted: all."""
    allowed: Allowed = Allowed()
    """What code may come in."""
    caps: Caps = Caps()
    """What one job may take at most."""
    defaults: JobPolicy = JobPolicy()
    """What a job gets that does not say otherwise."""
    locked: JobPolicy = JobPolicy()
    """What a job gets whatever it says."""
    overlay: Overlay = Overlay()
    """What is added to every Ray pod."""

    _default_search_pool = _pool_known("defaults.resources.search.pool")
    _default_compress_pool = _pool_known("defaults.resources.compress.pool")
    _locked_search_pool = _pool_known("locked.resources.search.pool")
    _locked_compress_pool = _pool_known("locked.resources.compress.pool")


class OptimizationProfile(Document):
    """What a platform team offers to optimization jobs."""

    api_version: Literal["trimtab.io/v1alpha1"] = API_VERSION
    """Version of the language."""
    kind: Literal["OptimizationProfile"] = "OptimizationProfile"
    """Kind of the document."""
    metadata: ObjectMeta
    """Name, labels and annotations."""
    spec: ProfileSpec
    """What the platform offers to jobs, and where it ends."""


LOCAL_PROFILE = OptimizationProfile(metadata=ObjectMeta(name="local"), spec=ProfileSpec())
"""The profile of trimtab run: this machine, no limits but the job's own."""
