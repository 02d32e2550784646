"""ConfigMap <job>-report: what the driver writes."""

from typing import Any

from trimtab_operator.names import REPORT, Owner, job_labels, report_name
from trimtab_operator.resources.metadata import child_metadata


def build_report_config_map(owner: Owner) -> dict[str, Any]:
    """Return the ConfigMap without data: applying it again leaves what the driver wrote."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(owner, report_name(owner.name), {**job_labels(owner), REPORT: "true"}),
    }
