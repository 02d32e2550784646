"""Graphs of an ONNX model, those inside its nodes among them, and what nodes read and give. Pure."""

from collections.abc import Iterator, Sequence

import onnx
from onnx import AttributeProto, GraphProto, NodeProto


def subgraphs_of(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs that a node holds itself, such as the body of a Loop."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            yield from attribute.graphs


def graphs_in(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield a graph, and all graphs below it."""
    yield graph
    for node in graph.node:
        for below in subgraphs_of(node):
            yield from graphs_in(below)


def nodes_in(model: onnx.ModelProto) -> Iterator[tuple[NodeProto, dict[str, int]]]:
    """Yield every node of the model, its functions' too, with the operator sets that it is read by."""
    imported = opsets_of(model.opset_import)
    for graph in graphs_in(model.graph):
        for node in graph.node:
            yield node, imported
    for function in model.functions:
        own = imported | opsets_of(function.opset_import)
        for node in function.node:
            yield node, own
            for below in subgraphs_of(node):
                for graph in graphs_in(below):
                    yield from ((inner, own) for inner in graph.node)


def opsets_of(imports: Sequence[onnx.OperatorSetIdProto]) -> dict[str, int]:
    """Return the version of each operator set, by its domain; the standard one's is ""."""
    return {domain_of(entry): entry.version for entry in imports}


def domain_of(part: NodeProto | onnx.OperatorSetIdProto | onnx.FunctionProto) -> str:
    """Return the domain; ai.onnx is the long name of the standard one."""
    return "" if part.domain == "ai.onnx" else part.domain


def called(node: NodeProto) -> str:
    """Return what a person may find the node by."""
    name = f" {node.name!r}" if node.name else ""
    return f"{node.op_type}{name}" + (f" that gives {node.output[0]!r}" if node.output and not name else "")


def inputs_of(graph: GraphProto) -> list[onnx.ValueInfoProto]:
    """Return what has to be fed: before IR version 4 initializers are listed among the inputs too."""
    given = initial_names(graph)
    return [entry for entry in graph.input if entry.name not in given]


def initial_names(graph: GraphProto) -> set[str]:
    """Return the names of the graph's own constants."""
    return {tensor.name for tensor in graph.initializer} | {
        tensor.values.name for tensor in graph.sparse_initializer
    }


def reads(node: NodeProto) -> set[str]:
    """Return the names that a node needs of the graph around it; an input left out is called ""."""
    names = set(node.input)
    for graph in subgraphs_of(node):
        names |= free_names(graph)
    return names - {""}


def free_names(graph: GraphProto) -> set[str]:
    """Return the names that a subgraph takes from the graphs around it."""
    own = initial_names(graph) | {entry.name for entry in graph.input}
    own |= {name for node in graph.node for name in node.output}
    used = {entry.name for entry in graph.output}.union(*(reads(node) for node in graph.node))
    return used - own


def in_order(nodes: Sequence[NodeProto]) -> tuple[list[NodeProto], list[NodeProto]]:
    """Return the nodes after all that they read (Kahn 1962), as near to their order as that allows.

    The second list holds those that are left over: nodes in a cycle, and those that wait for one.
    """
    givers = {name: position for position, node in enumerate(nodes) for name in node.output if name}
    waits = [{givers[name] for name in reads(node) if name in givers} for node in nodes]
    readers: dict[int, list[int]] = {}
    for position, needed in enumerate(waits):
        for giver in needed:
            readers.setdefault(giver, []).append(position)
    ready = [position for position, needed in enumerate(waits) if not needed]
    if all(giver < position for position, needed in enumerate(waits) for giver in needed):
        return list(nodes), []
    done: list[int] = []
    while ready:
        position = ready.pop(0)
        done.append(position)
        for reader in readers.get(position, ()):
            waits[reader].discard(position)
            if not waits[reader]:
                ready.append(reader)
    left = set(range(len(nodes))) - set(done)
    return [nodes[position] for position in done], [nodes[position] for position in sorted(left)]
