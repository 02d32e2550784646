"""The built-in metrics: what is measured of any ONNX model, besides the quality that its task defines."""

MINIMIZED = ("sizeMB", "latencyMs", "latencyP95Ms", "memoryMB", "energyJ")
"""Built-in metrics of which less is better."""
EFFICIENCY = (*MINIMIZED, "throughput")
"""All built-in metrics; any other is a metric of quality, defined by the task."""
PER_TARGET = ("latencyMs", "latencyP95Ms", "throughput", "memoryMB", "energyJ")
"""Built-in metrics that depend on the hardware they are measured on."""
