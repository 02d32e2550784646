"""What can be told of an ONNX model by reading it alone: `flaw_of` names the first thing that is wrong. Pure.

Read in Python, before any C++ code sees the file: onnx's checker and ONNX Runtime run in another process.
Each check returns what is wrong and the fix, as the end of a line that begins with the file; None: nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, TensorProto, TypeProto, ValueInfoProto

from trimtab_jobs.given.graphs import (
    called,
    domain_of,
    graphs_in,
    in_order,
    initial_names,
    inputs_of,
    nodes_in,
    opsets_of,
    reads,
    subgraphs_of,
)

OLDEST_OPSET = 7
"""The oldest standard operator set that ONNX Runtime promises to run."""
NEWEST_OPSETS = {
    "": onnx.defs.onnx_opset_version(),
    "ai.onnx.ml": max(row[3] for row in onnx.helper.VERSION_TABLE),
}
"""The newest operator sets that the pinned versions of onnx and ONNX Runtime both know."""
NEWEST_IR = onnx.IR_VERSION
RUNTIME_DOMAINS = ("com.microsoft",)
"""Operators that ONNX Runtime adds to the standard: it says itself which of them it does not have."""
FEEDABLE = {
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.FLOAT16,
    TensorProto.BOOL,
    TensorProto.INT8,
    TensorProto.INT16,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.UINT8,
    TensorProto.UINT16,
    TensorProto.UINT32,
    TensorProto.UINT64,
}
"""Types of elements that numpy has too."""
NAMED = 3
"""Names that a message gives of many."""


def flaw_of(model: ModelProto) -> str | None:
    """Return the first thing that is wrong with the model, None when nothing is."""
    for check in CHECKS:
        if flaw := check(model):
            return flaw
    return None


def listed(names: Iterable[str]) -> str:
    """Return the first few names and how many more there are."""
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def _texts(model: ModelProto) -> str | None:
    if all(isinstance(text, str) for text in texts_in(model)):
        return None
    return "has a name that is no text (UTF-8): it is damaged; copy or export it again"


def texts_in(message: Any) -> Iterator[str | bytes]:
    """Yield every text of a protobuf message and of all in it; what is no UTF-8 comes as bytes."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING:
            yield from values
        elif field.type == field.TYPE_MESSAGE:
            for part in values:
                yield from texts_in(part)


def _empty(model: ModelProto) -> str | None:
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        return "holds no graph: it is damaged, or no ONNX file; export it again"
    if not model.graph.node:
        return "has no operator: there is nothing to compress; export the whole model"
    return None


def _versions(model: ModelProto) -> str | None:
    opsets = opsets_of(model.opset_import)
    if model.ir_version > NEWEST_IR:
        return (
            f"has IR version {model.ir_version}, newer than {NEWEST_IR}, the newest that is known here; "
            f"save it with onnx.helper.make_model(…, ir_version={NEWEST_IR}), or export it with an older "
            "onnx"
        )
    for domain, newest in NEWEST_OPSETS.items():
        if opsets.get(domain, 0) > newest:
            return (
                f"has operator set {opsets[domain]} of {domain or 'ai.onnx'}, newer than {newest}, the "
                f"newest that ONNX Runtime here knows; export it with opset_version={newest} or below"
            )
    if not opsets:
        return "names no operator set (opset_import): it is damaged; export it again"
    if opsets.get("", OLDEST_OPSET) < OLDEST_OPSET:
        return (
            f"has operator set {opsets['']}, older than {OLDEST_OPSET}, the oldest that ONNX Runtime runs; "
            "raise it with onnx.version_converter.convert_version(model, 17), or export it again"
        )
    return None


def _operators(model: ModelProto) -> str | None:
    own = {(domain_of(function), function.name) for function in model.functions}
    missing = []
    for node, opsets in nodes_in(model):
        domain = domain_of(node)
        if (domain, node.op_type) in own or domain in RUNTIME_DOMAINS:
            continue
        if not _is_known(node.op_type, domain, opsets.get(domain, 0)):
            missing.append(f"{domain or 'ai.onnx'}:{node.op_type}")
    if not missing:
        return None
    versions = ", ".join(f"{domain or 'ai.onnx'} {number}" for domain, number in _imports(model))
    return (
        f"has operators that ONNX Runtime does not have in its operator sets ({versions}): "
        f"{listed(missing)}; export the model without them, or with an operator set that has them"
    )


def _imports(model: ModelProto) -> list[tuple[str, int]]:
    return sorted(opsets_of(model.opset_import).items())


def _is_known(name: str, domain: str, version: int) -> bool:
    try:
        return not onnx.defs.get_schema(name, version, domain).deprecated
    except onnx.defs.SchemaError:
        return False


def _inputs(model: ModelProto) -> str | None:
    entries = inputs_of(model.graph)
    if not entries:
        return "has no inputs: its outputs never change; export it with the data as an input"
    for entry in entries:
        if flaw := _type_flaw("input", entry) or _rank_flaw("input", entry) or _axes_flaw(entry):
            return flaw
    return _rows_flaw(entries)


def _outputs(model: ModelProto) -> str | None:
    if not model.graph.output:
        return "has no outputs; export it with at least one"
    for entry in model.graph.output:
        if flaw := _type_flaw("output", entry) or _rank_flaw("output", entry):
            return flaw
    return None


def _type_flaw(role: str, entry: ValueInfoProto) -> str | None:
    kind = entry.type.WhichOneof("value")
    if kind != "tensor_type":
        return f"has {role} {entry.name!r} {_kind(kind)}"
    element = entry.type.tensor_type.elem_type
    if element == TensorProto.STRING:
        fix = "turn text into numbers before the model" if role == "input" else "let it give class numbers"
        return f"has {role} {entry.name!r} of strings, which no number format makes smaller; {fix}"
    if element not in FEEDABLE:
        name = TensorProto.DataType.Name(element) if element in TensorProto.DataType.values() else element
        return f"has {role} {entry.name!r} of {name}, a type that numpy does not have; make it float32"
    return None


def _kind(kind: str | None) -> str:
    if kind is None:
        return "without a type: it is damaged; export it again"
    plain = kind.removesuffix("_type").replace("_", " ")
    return f"that is no tensor but a {plain}; export tensors (skl2onnx: options={{'zipmap': False}})"


def _rank_flaw(role: str, entry: ValueInfoProto) -> str | None:
    if entry.type.tensor_type.HasField("shape"):
        return None
    return (
        f"has {role} {entry.name!r} with a dynamic rank (no shape); export it with a fixed number of axes, "
        "of which any may be dynamic"
    )


def _axes_flaw(entry: ValueInfoProto) -> str | None:
    tensor: TypeProto.Tensor = entry.type.tensor_type
    if not tensor.shape.dim:
        return f"has input {entry.name!r} that is a scalar; give each input a first axis of examples"
    sizes = [axis.dim_value for axis in tensor.shape.dim if axis.HasField("dim_value")]
    if any(size <= 0 for size in sizes):
        return (
            f"has input {entry.name!r} with an axis of {min(sizes)}; export it with example inputs that "
            "hold data"
        )
    return None


def _rows_flaw(entries: list[ValueInfoProto]) -> str | None:
    """The first axis has to be that of examples: as long, or as free, in one input as in another."""
    rows = {entry.name: rows_of(entry) for entry in entries}
    if len(set(rows.values())) <= 1:
        return None
    told = ", ".join(f"{name!r} {'any number' if count is None else count}" for name, count in rows.items())
    return f"has inputs of different first axes ({told}); export it with the examples as first axis of each"


def rows_of(entry: ValueInfoProto) -> int | None:
    """Return the length of the first axis, None where it is free."""
    axis = entry.type.tensor_type.shape.dim[0]
    return int(axis.dim_value) if axis.HasField("dim_value") else None


def _names(model: ModelProto) -> str | None:
    for graph in graphs_in(model.graph):
        constants = Counter(tensor.name for tensor in graph.initializer)
        inputs = Counter(entry.name for entry in graph.input)
        made = Counter(name for node in graph.node for name in node.output if name)
        for what, names in (("initializer", constants), ("input", inputs)):
            if twice := [name for name, count in names.items() if count > 1]:
                return f"has {what} {twice[0]!r} twice; export it again"
        twice = [name for name, count in made.items() if count > 1 or name in constants or name in inputs]
        if twice:
            return f"gives {twice[0]!r} twice: {_givers(graph, twice[0])}; export it again"
    return None


def _givers(graph: GraphProto, name: str) -> str:
    nodes = [f"{node.op_type} {node.name!r}" for node in graph.node if name in node.output]
    given = ["an initializer"] if name in initial_names(graph) else []
    given += ["an input"] if any(entry.name == name for entry in graph.input) else []
    return listed([*nodes, *given]) if given or len(set(nodes)) > 1 else f"{nodes[0]}, {len(nodes)} times"


def _flow(model: ModelProto) -> str | None:
    return _flow_flaw(model.graph, set())


def _flow_flaw(graph: GraphProto, around: set[str]) -> str | None:
    """What a node reads must be there: from around the graph, given to it, or made by a node before."""
    there = around | initial_names(graph) | {entry.name for entry in graph.input}
    made = {name for node in graph.node for name in node.output if name}
    for node in graph.node:
        if missing := sorted(reads(node) - there - made):
            return (
                f"reads {missing[0]!r} in {called(node)}, which nothing gives: it is damaged; export it again"
            )
    if ungiven := [entry.name for entry in graph.output if entry.name not in there | made]:
        return f"has output {ungiven[0]!r}, which nothing gives; export it again"
    _, left = in_order(graph.node)
    if left:
        return f"is cyclic: {listed(map(called, left))} wait for each other's results; export it again"
    below = (inner for node in graph.node for inner in subgraphs_of(node))
    return next((flaw for inner in below if (flaw := _flow_flaw(inner, there | made))), None)


CHECKS: tuple[Callable[[ModelProto], str | None], ...] = (
    _texts,
    _empty,
    _versions,
    _inputs,
    _outputs,
    _names,
    _flow,
    _operators,
)
