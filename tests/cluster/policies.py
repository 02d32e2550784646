"""Network policies as rules of nftables: what the cluster's objects mean for packets between its pods.

A policy that selects a pod closes it in the policy's directions, but for what any such policy allows.
Selectors, address blocks, ports by number, range and name, and both directions are known; addresses are
IPv4. The host reaches every pod, as kubelets do everywhere. It counts as no pod, so what may reach it is
allowed by an address block; DNS counts as the pod that it would be in other clusters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
INGRESS, EGRESS = "ingress", "egress"
PEERS = {INGRESS: "from", EGRESS: "to"}
SIDES = {INGRESS: "saddr", EGRESS: "daddr"}
"""The address of a packet that is a peer's."""
TABLE = "policies"


@dataclass(frozen=True, slots=True)
class World:
    """The address of the host, that of DNS, and the cluster's objects."""

    host: str
    dns: str
    pods: Sequence[Document]
    namespaces: Sequence[Document]
    policies: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Pod:
    """What policies have to know of a pod; `ports` are numbers by name and protocol."""

    address: str
    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peers:
    """All that a rule's peers are sought among."""

    pods: Sequence[Pod]
    namespaces: Mapping[str, Mapping[str, str]]
    """Labels by name."""


def ruleset(world: World) -> str:
    """The table that enforces the world's policies, for `nft -f`; it replaces the one that was there."""
    dns = Pod(world.dns, "kube-system", {"k8s-app": "kube-dns"})
    pods = sorted(filter(None, map(read_pod, world.pods)), key=lambda pod: pod.address)
    peers = Peers([*pods, dns], {each["metadata"]["name"]: labels_of(each) for each in world.namespaces})
    closed = {way: closed_pods(way, pods, peers, world.policies) for way in (INGRESS, EGRESS)}
    known = "ct state established,related accept"
    out, into = jumps(EGRESS, closed[EGRESS]), jumps(INGRESS, closed[INGRESS])
    chains = {
        "forward": [
            "type filter hook forward priority filter",
            known,
            f"ip saddr {world.host} accept",
            *out,
            *into,
        ],
        "input": ["type filter hook input priority filter", known, *out],
    }
    for way, lines_of in closed.items():
        chains |= {chain(way, address): [*lines, "drop"] for address, lines in lines_of.items()}
    body = "".join(f"  chain {name} {{\n{indented(lines)}  }}\n" for name, lines in sorted(chains.items()))
    return f"table ip {TABLE}\ndelete table ip {TABLE}\ntable ip {TABLE} {{\n{body}}}\n"


def closed_pods(
    way: str, pods: Sequence[Pod], peers: Peers, policies: Sequence[Document]
) -> dict[str, list[str]]:
    """By address of each pod that is closed in this direction, the lines that let packets through."""
    closed = {}
    for pod in pods:
        specs = [each["spec"] for each in policies if applies(each, pod, way)]
        lines = (
            line
            for spec in specs
            for rule in spec.get(way) or []
            for match in matches(way, rule, pod, peers)
            for line in port_lines(rule, match, [pod] if way == INGRESS else peers.pods)
        )
        if specs:
            closed[pod.address] = sorted(set(lines))
    return closed


def applies(policy: Document, pod: Pod, way: str) -> bool:
    """Whether a policy closes a pod in this direction."""
    spec = policy["spec"]
    return (
        policy["metadata"]["namespace"] == pod.namespace
        and way.capitalize() in spec["policyTypes"]
        and selects(spec.get("podSelector", {}), pod.labels)
    )


def matches(way: str, rule: Document, pod: Pod, peers: Peers) -> Iterator[str]:
    """What a packet matches that comes from a rule's peers, or goes to them: a text for each peer."""
    for peer in rule.get(PEERS[way]) or [None]:
        if peer is None:
            yield ""
        elif "ipBlock" in peer:
            yield from block_matches(SIDES[way], peer["ipBlock"])
        else:
            for other in peers.pods:
                if is_peer(peer, other, pod.namespace, peers.namespaces):
                    yield f"ip {SIDES[way]} {other.address} "


def block_matches(side: str, block: Document) -> Iterator[str]:
    """The match on a block of addresses, if they are IPv4."""
    if ":" not in block["cidr"]:
        but = ", ".join(block.get("except") or [])
        yield f"ip {side} {block['cidr']} " + (f"ip {side} != {{ {but} }} " if but else "")


def is_peer(peer: Document, other: Pod, namespace: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a pod is one that a peer of a policy in this namespace selects."""
    if "namespaceSelector" in peer:
        near = selects(peer["namespaceSelector"], labels.get(other.namespace, {}))
    else:
        near = other.namespace == namespace
    return near and selects(peer.get("podSelector", {}), other.labels)


def port_lines(rule: Document, match: str, targets: Sequence[Pod]) -> Iterator[str]:
    """The lines that let packets to a rule's ports through, all where it names none."""
    if not rule.get("ports"):
        yield f"{match}return"
    for port in rule.get("ports") or []:
        protocol = port.get("protocol", "TCP")
        for condition in port_conditions(port.get("port"), port.get("endPort"), protocol, targets):
            yield f"{match}{condition} return"


def port_conditions(
    port: int | str | None, last: int | None, protocol: str, targets: Sequence[Pod]
) -> Iterator[str]:
    """A port or a range of them; for a name the number that each pod gives it, if it does."""
    if port is None:
        yield f"meta l4proto {protocol.lower()}"
    elif isinstance(port, int):
        yield f"{protocol.lower()} dport {port}{f'-{last}' if last else ''}"
    else:
        for target in targets:
            if (port, protocol) in target.ports:
                number = target.ports[port, protocol]
                yield f"ip daddr {target.address} {protocol.lower()} dport {number}"


def selects(selector: Document, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects what has these labels."""
    equal = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return equal.items() <= labels.items() and all(holds(each, labels) for each in expressions)


def holds(expression: Document, labels: Mapping[str, str]) -> bool:
    """Whether one expression of a selector holds; NotIn also where there is no such label."""
    there = expression["key"] in labels
    listed = there and labels[expression["key"]] in (expression.get("values") or [])
    return {"In": listed, "NotIn": not listed, "Exists": there, "DoesNotExist": not there}[
        expression["operator"]
    ]


def read_pod(document: Document) -> Pod | None:
    """A pod that has an address of its own and still uses it."""
    status, spec = document.get("status", {}), document["spec"]
    address = status.get("podIP")
    if not address or spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
        return None
    ports = {
        (port["name"], port.get("protocol", "TCP")): port["containerPort"]
        for container in spec["containers"]
        for port in container.get("ports") or []
        if "name" in port
    }
    return Pod(address, document["metadata"]["namespace"], labels_of(document), ports)


def labels_of(document: Document) -> Mapping[str, str]:
    found: Mapping[str, str] = document["metadata"].get("labels") or {}
    return found


def jumps(way: str, closed: Mapping[str, Sequence[str]]) -> list[str]:
    """The line that sends packets of closed pods to their chains, if there are any."""
    side = "daddr" if way == INGRESS else "saddr"
    targets = ", ".join(f"{address} : jump {chain(way, address)}" for address in closed)
    return [f"ip {side} vmap {{ {targets} }}"] if closed else []


def chain(way: str, address: str) -> str:
    return f"{way}_{address.replace('.', '_')}"


def indented(lines: Sequence[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)
