"""The built-in metrics: what is measured of any ONNX model, besides the quality that its task defines."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from trimtab_api.cel import cel_list, or_list
from trimtab_api.model import Check, rule

Direction = Literal["maximize", "minimize"]
EFFICIENCY: Final[Mapping[str, Direction]] = {
    "sizeMB": "minimize",
    "latencyMs": "minimize",
    "latencyP95Ms": "minimize",
    "throughput": "maximize",
    "memoryMB": "minimize",
    "energyJ": "minimize",
}
"""All built-in metrics, and which way is better; any other is a metric of quality, defined by the task."""
MINIMIZED = tuple(name for name, direction in EFFICIENCY.items() if direction == "minimize")
"""Built-in metrics of which less is better."""
PER_TARGET = tuple(name for name in EFFICIENCY if name != "sizeMB")
"""Built-in metrics that depend on the hardware they are measured on."""
UNMEASURED = ("energyJ",)
"""Built-in metrics that this version does not measure yet."""
MEASURED: Final[Mapping[str, Direction]] = {
    name: direction for name, direction in EFFICIENCY.items() if name not in UNMEASURED
}
"""Built-in metrics that every model is measured by."""
RATIOS: Final[Mapping[str, str]] = {
    "sizeMB": "size",
    "latencyMs": "latency",
    "throughput": "throughput",
    "memoryMB": "memory",
}
"""Built-in metrics whose improvement the report states in times, and the name under which it does."""


def target_matters() -> Check:
    """Return the rule that a target is named only for a metric that depends on the hardware."""

    @rule(
        "target",
        f"!has(self.target) || self.metric in {cel_list(PER_TARGET)}",
        f"applies to {or_list(PER_TARGET)} only",
    )
    def _target_matters(model: Any) -> bool:
        return model.target is None or model.metric in PER_TARGET

    return _target_matters
