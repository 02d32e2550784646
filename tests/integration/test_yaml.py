"""`trimtab` reads YAML as the API server does: both read the same text, and the values are compared."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cluster import ApiServer, Document, RefusedError, install
from trimtab_api.errors import SpecError
from trimtab_api.reading import read_documents

HEAD = """\
apiVersion: tests.trimtab.io/v1
kind: Anything
metadata: {name: anything}
"""


@pytest.fixture(scope="session")
def reader(bare_api_server: ApiServer) -> ApiServer:
    """The session's API server with a kind that takes any spec."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Anything", "listKind": "AnythingList", "plural": "anythings", "singular": "anything"}
    definition: Document = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "anythings.tests.trimtab.io"},
        "spec": {"group": "tests.trimtab.io", "names": names, "scope": "Cluster", "versions": [version]},
    }
    install(bare_api_server, "a kind that takes any spec", definition)
    return bare_api_server


def read_by_both(server: ApiServer, spec: str, strict: bool = True) -> tuple[str, str]:
    """What the server and what trimtab reads, as JSON; "refused" where one does not take it."""
    text = f"{HEAD}spec:\n{spec}"
    try:
        theirs = server.create_yaml(text, yaml.safe_load(HEAD), strict=strict, dry_run=True)["spec"]
    except RefusedError:
        theirs = "refused"
    try:
        [(_, document)] = read_documents(text)
        ours = document["spec"]
    except SpecError:
        ours = "refused"
    return json.dumps(theirs, sort_keys=True), json.dumps(ours, sort_keys=True)


NUMBERS = (
    "0 -0 +1 1.0 -1.0 1. .5 -.5 1e-4 1E5 1e+5 4e1 1.5e3 1e21 1e300 123456789012 9007199254740993 0.1 -0.0"
)
BASES = "010 0o10 0x1F 0b101 08 0o8 1_000 1_0.5 _1 1__2 +0x10 -0b1 0x 0X1f 0B11 0O17"
WORDS = "yes Yes YES no on off y n Y N true True TRUE tRue false null Null NULL ~ nULL"
TEXTS = "12:30 2001-01-01 1.2.3 1e 1e5e .e5 - -a ?a :a a:b a#b 1,5 0.0.0 +.5 ++1 inf nan Infinity 1e400 <<"


@pytest.mark.parametrize("scalar", [*NUMBERS.split(), *BASES.split(), *WORDS.split(), *TEXTS.split()])
def test_scalar_is_read_as_the_api_server_reads_it(reader: ApiServer, scalar: str) -> None:
    theirs, ours = read_by_both(reader, f"  value: {scalar}\n")

    assert ours == theirs


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("  a: 1\n  a: 2\n", id="repeated-key"),
        pytest.param("  a: &x {b: 1}\n  c: *x\n", id="alias"),
        pytest.param("  a: \"\\u00e9\\t1\"\n  b: 'it''s'\n", id="quotes"),
        pytest.param("  a: |\n    one\n      two\n  b: >-\n    one\n    two\n", id="blocks"),
        pytest.param("  a: {b: , c: }\n", id="empty-values"),
        pytest.param("  a: [1, [2.0, {b: 3e0}], yes]\n", id="nested"),
        pytest.param("  a: '1e-4'\n  b: \"yes\"\n", id="quoted-scalars"),
        pytest.param("  a: 1\n b: 2\n", id="indentation"),
        pytest.param("  a: [1, 2\n", id="unclosed"),
        pytest.param("  a: \t1\n", id="tab"),
    ],
)
def test_structure_is_read_as_the_api_server_reads_it(reader: ApiServer, spec: str) -> None:
    theirs, ours = read_by_both(reader, spec)

    assert ours == theirs


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("  a: &x {b: 1, c: 2}\n  d: {<<: *x, b: 3}\n", id="own-key-wins"),
        pytest.param("  a: &x {b: 1}\n  c: &y {b: 2, d: 3}\n  e: {<<: [*x, *y]}\n", id="first-of-two-wins"),
    ],
)
def test_merge_is_read_as_kubectl_reads_it(reader: ApiServer, spec: str) -> None:
    """Not strictly: kubectl merges before it sends JSON; the server alone would see a repeated key."""
    theirs, ours = read_by_both(reader, spec, strict=False)

    assert ours == theirs


def test_merge_over_a_key_above_it_is_refused_as_kubectl_would_lose_the_key(reader: ApiServer) -> None:
    read = read_by_both(reader, "  a: &x {b: 1}\n  d: {b: 3, <<: *x}\n", strict=False)

    assert read == ('{"a": {"b": 1}, "d": {"b": 1}}', '"refused"')


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.text("0123456789+-._eExXoObBaAfFyYnN~", min_size=1, max_size=6), min_size=40, max_size=40))
def test_odd_scalar_is_read_as_the_api_server_reads_it(reader: ApiServer, scalars: list[str]) -> None:
    lines = [f"  k{number}: {scalar}\n" for number, scalar in enumerate(scalars) if scalar.strip("-")]

    theirs, ours = read_by_both(reader, "".join(lines))

    assert ours == theirs
