"""Rules of nftables let through what the policies of Kubernetes allow, and nothing else."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.policies import World, ruleset, selects

Document = dict[str, Any]
HOST, DNS, ELSEWHERE = "10.213.0.1", "10.213.0.254", "192.0.2.9"
KUBE_DNS = {"kubernetes.io/metadata.name": "kube-system"}


@dataclass(frozen=True)
class Packet:
    """The first one of a connection."""

    source: str
    target: str
    protocol: str = "TCP"
    port: int = 80


def pod(name: str, address: str, namespace: str = "a", **labels: str) -> Document:
    ports = [{"name": "web", "containerPort": 80}, {"name": "web", "containerPort": 53, "protocol": "UDP"}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": address, "phase": "Running"},
    }


def namespace(name: str, **labels: str) -> Document:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def policy(selector: Document, where: str = "a", **rules: Any) -> Document:
    kinds = [way.capitalize() for way in rules]
    spec = {"podSelector": selector, "policyTypes": kinds, **rules}
    return {"metadata": {"name": "policy", "namespace": where}, "spec": spec}


CLIENT, SERVER = pod("client", "10.213.0.20", app="client"), pod("server", "10.213.0.21", app="server")
STRANGER = pod("stranger", "10.213.0.22", namespace="b", app="client")
ASKED = Packet(CLIENT["status"]["podIP"], SERVER["status"]["podIP"])
FROM_STRANGER = replace(ASKED, source=STRANGER["status"]["podIP"])


def world(*policies: Document) -> World:
    namespaces = [namespace("a"), namespace("b", team="b"), namespace("kube-system")]
    return World(HOST, DNS, [CLIENT, SERVER, STRANGER], namespaces, policies)


def passes(rules: str, packet: Packet) -> bool:
    """Whether the table lets a packet through that one pod, or the host, sends to another address."""
    chains = {
        name: [line.strip() for line in body.strip().splitlines()]
        for name, body in re.findall(r"  chain (\w+) \{\n(.*?)  \}", rules, re.DOTALL)
    }
    hook = "input" if packet.target == DNS else "forward"
    return verdict(chains, hook, packet) != "drop"


def verdict(chains: dict[str, list[str]], chain: str, packet: Packet) -> str:
    """What a chain decides, `return` where it leaves the decision to others."""
    for line in chains[chain]:
        if line.startswith(("type", "ct")):
            continue
        if found := re.fullmatch(r"ip (saddr|daddr) vmap \{ (.*) \}", line):
            address = packet.source if found[1] == "saddr" else packet.target
            jumps = dict(re.findall(r"(\S+) : jump (\w+)", found[2]))
            if address in jumps and verdict(chains, jumps[address], packet) == "drop":
                return "drop"
        elif matches(line, packet):
            return line.rsplit(" ", 1)[-1]
    return "return"


def matches(line: str, packet: Packet) -> bool:
    """Whether a line's conditions hold for a packet."""
    addresses = {"saddr": packet.source, "daddr": packet.target}
    for side, block in re.findall(r"ip (saddr|daddr) (\d[\d./]*)", line):
        if ipaddress.ip_address(addresses[side]) not in ipaddress.ip_network(block):
            return False
    for side, blocks in re.findall(r"ip (saddr|daddr) != \{ (.*?) \}", line):
        if any(
            ipaddress.ip_address(addresses[side]) in ipaddress.ip_network(each) for each in blocks.split(", ")
        ):
            return False
    if (found := re.search(r"meta l4proto (\w+)", line)) and found[1] != packet.protocol.lower():
        return False
    if found := re.search(r"(tcp|udp|sctp) dport (\d+)(?:-(\d+))?", line):
        first, last = int(found[2]), int(found[3] or found[2])
        return found[1] == packet.protocol.lower() and first <= packet.port <= last
    return True


def test_without_policies_everything_passes() -> None:
    assert "drop" not in ruleset(world())


def test_policy_without_rules_closes_its_pods_to_all_but_the_host() -> None:
    rules = ruleset(world(policy({}, ingress=[])))

    assert not passes(rules, ASKED)
    assert not passes(rules, FROM_STRANGER)
    assert passes(rules, replace(ASKED, source=HOST))


def test_policy_leaves_other_namespaces_and_the_other_direction_alone() -> None:
    rules = ruleset(world(policy({}, ingress=[])))

    assert passes(rules, Packet(ASKED.source, STRANGER["status"]["podIP"]))
    assert passes(rules, Packet(ASKED.source, ELSEWHERE))


@pytest.mark.parametrize(
    ("peer", "near", "far"),
    [
        pytest.param({"podSelector": {"matchLabels": {"app": "client"}}}, True, False, id="own-namespace"),
        pytest.param({"namespaceSelector": {}}, True, True, id="any-namespace"),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"team": "b"}}}, False, True, id="other-namespace"
        ),
        pytest.param(
            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "none"}}},
            False,
            False,
            id="both",
        ),
        pytest.param({"ipBlock": {"cidr": "10.213.0.16/29"}}, True, True, id="block"),
        pytest.param(
            {"ipBlock": {"cidr": "10.213.0.0/24", "except": ["10.213.0.22/32"]}}, True, False, id="but"
        ),
        pytest.param({"ipBlock": {"cidr": "fd00::/8"}}, False, False, id="other-family"),
    ],
)
def test_peers_are_who_the_selectors_and_blocks_say(peer: Document, near: bool, far: bool) -> None:
    rules = ruleset(world(policy({"matchLabels": {"app": "server"}}, ingress=[{"from": [peer]}])))

    assert (passes(rules, ASKED), passes(rules, FROM_STRANGER)) == (near, far)


@pytest.mark.parametrize(
    ("port", "passing"),
    [
        pytest.param({"port": 80, "protocol": "TCP"}, {("TCP", 80)}, id="number"),
        pytest.param({"port": 53, "endPort": 80, "protocol": "TCP"}, {("TCP", 53), ("TCP", 80)}, id="range"),
        pytest.param({"port": "web", "protocol": "UDP"}, {("UDP", 53)}, id="name"),
        pytest.param({"port": "unknown", "protocol": "TCP"}, set(), id="unknown-name"),
        pytest.param({"protocol": "UDP"}, {("UDP", 53), ("UDP", 80)}, id="protocol"),
    ],
)
@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_ports_are_those_of_the_pod_that_is_asked(
    way: str, port: Document, passing: set[tuple[str, int]]
) -> None:
    app, peers = ("server", "from") if way == "ingress" else ("client", "to")
    rule = {peers: [{"podSelector": {}}], "ports": [port]}
    closed: Document = {way: [rule]}
    rules = ruleset(world(policy({"matchLabels": {"app": app}}, **closed)))

    tried = [("TCP", 53), ("TCP", 80), ("UDP", 53), ("UDP", 80)]
    assert {
        each for each in tried if passes(rules, replace(ASKED, protocol=each[0], port=each[1]))
    } == passing


def test_dns_is_allowed_as_the_pod_that_it_is_elsewhere() -> None:
    peer = {
        "namespaceSelector": {"matchLabels": KUBE_DNS},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    asked = Packet(ASKED.source, DNS, "UDP", 53)

    assert not passes(ruleset(world(policy({}, egress=[]))), asked)
    assert passes(ruleset(world(policy({}, egress=[{"to": [peer]}]))), asked)


def test_pods_without_an_address_of_their_own_are_no_peers() -> None:
    done = pod("done", "10.213.0.30") | {"status": {"podIP": "10.213.0.30", "phase": "Succeeded"}}
    on_host = pod("on-host", "10.213.0.2")
    on_host["spec"]["hostNetwork"] = True
    starting = pod("starting", "") | {"status": {}}
    pods = [CLIENT, SERVER, done, on_host, starting]

    rules = ruleset(replace(world(policy({}, ingress=[{"from": [{"podSelector": {}}]}])), pods=pods))

    assert set(re.findall(r"10\.213\.0\.\d+", rules)) == {HOST, ASKED.source, ASKED.target}


LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]))
EXPRESSIONS = st.builds(
    lambda key, operator, values: {"key": key, "operator": operator, "values": values},
    st.sampled_from(["app", "tier"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(st.sampled_from(["x", "y"]), min_size=1),
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)
PORTS = st.fixed_dictionaries(
    {"protocol": st.sampled_from(["TCP", "UDP"])}, optional={"port": st.sampled_from([53, 80, "web"])}
)
PEERS = st.one_of(
    st.fixed_dictionaries({"podSelector": SELECTORS}),
    st.fixed_dictionaries({"namespaceSelector": SELECTORS}, optional={"podSelector": SELECTORS}),
    st.sampled_from([{"ipBlock": {"cidr": "10.213.0.20/31"}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]),
)


def rules_of(peers: str) -> st.SearchStrategy[list[Document]]:
    parts = {peers: st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)}
    return st.lists(st.fixed_dictionaries({}, optional=parts), max_size=2)


POLICIES = st.lists(
    st.builds(
        lambda selector, where, rules: policy(selector, where, **rules),
        SELECTORS,
        st.sampled_from(["a", "b"]),
        st.fixed_dictionaries({}, optional={"ingress": rules_of("from"), "egress": rules_of("to")}),
    ),
    max_size=3,
)
PODS = st.lists(st.tuples(st.sampled_from(["a", "b"]), LABELS), min_size=2, max_size=4).map(
    lambda given: [
        pod(f"p{i}", f"10.213.0.{20 + i}", where, **labels) for i, (where, labels) in enumerate(given)
    ]
)
SENT = st.tuples(st.integers(0, 1), st.sampled_from(["TCP", "UDP"]), st.sampled_from([53, 80, 81]))


@given(PODS, POLICIES, SENT)
def test_packet_passes_as_the_policies_of_both_ends_allow(
    pods: list[Document], policies: list[Document], sent: tuple[int, str, int]
) -> None:
    index, protocol, port = sent
    source, target = pods[index], pods[index - 1]
    packet = Packet(source["status"]["podIP"], target["status"]["podIP"], protocol, port)
    namespaces = [namespace("a", app="x"), namespace("b", tier="y")]

    rules = ruleset(World(HOST, DNS, pods, namespaces, policies))

    labels = {each["metadata"]["name"]: each["metadata"]["labels"] for each in namespaces}
    allowed = [
        is_allowed(way, closed, peer, packet, policies, labels)
        for way, closed, peer in (("egress", source, target), ("ingress", target, source))
    ]
    assert passes(rules, packet) == all(allowed)


@given(PODS, POLICIES)
def test_order_of_objects_does_not_matter(pods: list[Document], policies: list[Document]) -> None:
    namespaces = [namespace("a"), namespace("b")]

    forth = ruleset(World(HOST, DNS, pods, namespaces, policies))

    assert forth == ruleset(World(HOST, DNS, pods[::-1], namespaces[::-1], policies[::-1]))


def is_allowed(
    way: str,
    pod: Document,
    peer: Document,
    packet: Packet,
    policies: list[Document],
    namespaces: dict[str, dict[str, str]],
) -> bool:
    """What the documentation of policies says of one end of a packet, read as it is written."""
    here = pod["metadata"]
    isolating = [
        each["spec"]
        for each in policies
        if each["metadata"]["namespace"] == here["namespace"]
        and way.capitalize() in each["spec"]["policyTypes"]
        and selects(each["spec"]["podSelector"], here["labels"])
    ]

    def is_peer(given: Document) -> bool:
        there = peer["metadata"]
        if "ipBlock" in given:
            block = ipaddress.ip_network(given["ipBlock"]["cidr"])
            return ipaddress.ip_address(peer["status"]["podIP"]) in block
        if "namespaceSelector" in given:
            same = selects(given["namespaceSelector"], namespaces[there["namespace"]])
        else:
            same = there["namespace"] == here["namespace"]
        return same and selects(given.get("podSelector", {}), there["labels"])

    def is_port(given: Document) -> bool:
        number = given.get("port", packet.port)
        if number == "web":  # as every pod here names them
            number = {"TCP": 80, "UDP": 53}[given["protocol"]]
        return bool(given["protocol"] == packet.protocol and number == packet.port)

    side = {"ingress": "from", "egress": "to"}[way]
    return not isolating or any(
        has(rule, side, is_peer) and has(rule, "ports", is_port)
        for spec in isolating
        for rule in spec.get(way, [])
    )


def has(rule: Document, part: str, is_it: Callable[[Document], bool]) -> bool:
    """Whether one entry of a rule's part is it; a part that is empty or left out is everything."""
    return not rule.get(part) or any(map(is_it, rule[part]))
