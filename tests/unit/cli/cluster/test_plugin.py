"""`kubectl trimtab`: what kubectl needs to complete it."""

import pytest

from trimtab_cli.plugin import proposals


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        pytest.param(
            ["susp"], ["suspend\tGive a job's cluster back, keep what was done.", ":4"], id="command"
        ),
        pytest.param(
            ["wait", "--for"], ["--for\tfinished: the job's end, however it ends. ", ":4"], id="option"
        ),
        pytest.param(["list", "-o", "y"], ["yaml", ":4"], id="choice"),
        pytest.param(["submit", ""], [":0"], id="files"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_kubectl_is_told_proposals_and_a_directive(words: list[str], lines: list[str]):
    told = proposals(words)
    assert [each[: len(line)] for each, line in zip(told, lines, strict=False)] == lines
    assert told[-1].startswith(":")
