"""The line of a field in a YAML stream."""

import pytest

from trimtab_cli.positions import line_of

STREAM = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: code}
---
# a comment
apiVersion: trimtab.io/v1alpha1
kind: OptimizationJob
metadata: {name: digits}
spec:
  search:
    trials: 0
    parameters:
    - {name: lr, float: {low: 1, high: 0}}
    - name: width
      int:
        low: 1
---
"""


@pytest.mark.parametrize(
    ("field", "line"),
    [
        pytest.param("spec.search.trials", 11, id="key"),
        pytest.param("spec.search.parameters[0].float.high", 13, id="in-a-flow-mapping"),
        pytest.param("spec.search.parameters[1].int.low", 16, id="item-of-a-list"),
        pytest.param("spec.search.parameters[1].int.high", 15, id="missing-key"),
        pytest.param("spec.search.parameters[9]", 12, id="missing-item"),
        pytest.param("spec.search.trials.deeper", 11, id="below-a-scalar"),
        pytest.param("spec.task", 9, id="missing-section"),
        pytest.param("status", 6, id="missing-at-the-top"),
    ],
)
def test_line_of_a_field(field, line):
    assert line_of(STREAM, field) == line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("kind: Other", id="no-such-kind"),
        pytest.param("", id="empty"),
        pytest.param("- a\n- b", id="not-a-mapping"),
        pytest.param("kind: [", id="not-yaml"),
        pytest.param("a: 1", id="no-kind"),
    ],
)
def test_line_is_unknown_without_the_document(text):
    assert line_of(text, "spec") is None
