"""What is wrong with a file that a person gave, in one line."""

import re

_NOISE = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : |/onnxruntime_src\S*|Load model from \S+ failed:|Node \(\) |"
    r"\b(?:virtual|static|onnxruntime::common::Status|void)\s+\S*onnxruntime::[^:]*?\)\s*(?:const)?\s*"
)


class FlawError(Exception):
    """Says what is wrong and the fix, as the end of a line that begins with the file: `is empty; …`."""


def one_line(error: Exception) -> str:
    """Return the beginning of what a library says, without its own places in code."""
    text = " ".join(_NOISE.sub("", str(error)).split())
    return text.strip(" :;.")[:300] or type(error).__name__
