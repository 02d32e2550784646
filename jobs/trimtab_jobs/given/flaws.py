"""What is wrong with a file that a person gave, in one line."""

import re

_NOISE = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : |/onnxruntime_src\S*|Load model from \S+ failed:|Node \(\) |"
    r"(?:\w+\*? )?onnxruntime::[\w:~<>]+(?: onnxruntime::[\w:~<>]+)?\([^)]*\)(?: const)?|"
    r"Non-zero status code returned while running "
)


class FlawError(Exception):
    """Says what is wrong and the fix, as the end of a line that begins with the file: `is empty; …`.

    Names in a file are anybody's text: what is not printable becomes a question mark.
    """

    def __init__(self, flaw: str) -> None:
        super().__init__("".join(each if each.isprintable() else "?" for each in flaw))


def refuse(flaw: str | None) -> None:
    """Raise the flaw as a FlawError if there is one."""
    if flaw:
        raise FlawError(flaw)


def one_line(error: Exception) -> str:
    """Return the beginning of what a library says, without its own places in code."""
    text = " ".join(_NOISE.sub("", str(error)).split())
    return text.strip(" :;.")[:300] or type(error).__name__
