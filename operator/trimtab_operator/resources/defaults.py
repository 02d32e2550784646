"""Defaults: what the operator's settings give to the children of every job."""

from dataclasses import dataclass

from trimtab_operator.names import COST_LABELS


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a profile leaves open."""

    worker_image: str
    """Image of the Ray pods where the profile names none: that of this version of Trimtab."""
    ray_version: str = "2.60.0"
    """Version of Ray in the images."""
    kuberay_namespace: str | None = None
    """Namespace of KubeRay's operator, which reads the state of jobs from the head; None: wherever it is."""
    head_cpu: str = "1"
    """CPUs of the head, where the driver runs."""
    head_memory: str = "4Gi"
    """Memory of the head: about 1 GiB for Ray itself, and the driver's record of all trials."""
    worker_memory: str = "4Gi"
    """Memory of a worker where neither the job nor a pool says."""
    driver_silence_seconds: int = 120
    """How long a driver may be without a sign of life before its head is started anew."""
    store_patience_seconds: int = 300
    """How long driver and workers wait for a store that does not answer or is full."""
    node_patience_seconds: int = 60
    """How long pods stay on a node that does not answer."""
    cost_labels: tuple[str, ...] = COST_LABELS
    """Labels of a job that its pods carry too, for tools that add up costs by them."""
