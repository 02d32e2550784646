"""Values that are wrong are refused, by one line that names the value."""

from typing import Any

import pytest

from tests.support.chart import Helm, HelmError

DIGEST = "sha256:abc"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 1}, r"additional properties 'replica' not allowed"),
        ({"image": {"tags": "1"}}, r"at '/image': additional properties 'tags' not allowed"),
        ({"replicas": "two"}, r"at '/replicas': got string, want integer"),
        ({"replicas": 0}, r"at '/replicas': minimum: got 0, want 1"),
        (
            {"image": {"repository": "registry/operator:1"}},
            r"at '/image/repository': .* does not match pattern",
        ),
        ({"image": {"digest": DIGEST}}, r"at '/image/digest': 'sha256:abc' does not match pattern"),
        ({"image": {"pullPolicy": "Sometimes"}}, r"at '/image/pullPolicy': value must be one of 'Always'"),
        ({"namespaces": "vision"}, r"at '/namespaces': got string, want array"),
        ({"namespaces": ["Vision"]}, r"at '/namespaces/0': 'Vision' does not match pattern"),
        ({"crds": {"enabled": "true"}}, r"at '/crds/enabled': got string, want boolean"),
        ({"log": {"level": "trace"}}, r"at '/log/level': value must be one of 'debug'"),
        (
            {"operator": {"env": {"TRIMTAB_OPERATOR_CONCURENCY": 1}}},
            r"at '/operator/env': additional properties 'TRIMTAB_OPERATOR_CONCURENCY' not allowed",
        ),
        (
            {"operator": {"env": {"TRIMTAB_OPERATOR_CONCURRENCY": "many"}}},
            r"at '/operator/env/TRIMTAB_OPERATOR_CONCURRENCY': 'many' does not match pattern",
        ),
        (
            {"operator": {"env": {"TRIMTAB_OPERATOR_NAMESPACES": "vision"}}},
            r"at '/operator/env': additional properties 'TRIMTAB_OPERATOR_NAMESPACES' not allowed",
        ),
        ({"imagePullSecrets": ["registry"]}, r"at '/imagePullSecrets/0': got string, want object"),
        ({"metrics": {"port": 99999}}, r"at '/metrics/port': maximum: got 99.?999, want 65.?535"),
        ({"resources": {"request": {}}}, r"at '/resources': additional properties 'request' not allowed"),
        ({"tolerations": [{"operater": "Exists"}]}, r"at '/tolerations/0': additional properties 'operater'"),
    ],
    ids=str,
)
def test_wrong_value_is_named_in_one_line(values: dict[str, Any], said: str, helm: Helm) -> None:
    with pytest.raises(HelmError, match=said) as refused:
        helm.text(values)

    assert len([line for line in str(refused.value).splitlines() if line.startswith("- ")]) == 1


def test_parent_chart_may_pass_what_it_gives_to_all(helm: Helm) -> None:
    helm.text({"global": {"registry": "example.org"}, "enabled": True})
