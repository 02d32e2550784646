"""Where a field stands in its YAML stream, so that an error can name the line. Pure."""

import re

import yaml


def line_of(text: str, field: str, kind: str = "OptimizationJob") -> int | None:
    """The line (from 1) of a field such as `spec.search.parameters[1].float` in the document of that kind.

    A field that is missing has the line of what it is missing from; None when there is no such document.
    """
    found = _found(text, field, kind)
    return None if found is None else found[0]


def is_written(text: str, field: str, kind: str = "OptimizationJob") -> bool:
    """Whether the document of that kind has the field itself."""
    found = _found(text, field, kind)
    return found is not None and found[1]


def _found(text: str, field: str, kind: str) -> tuple[int, bool] | None:
    """The line of a field, or of the nearest one above it, and whether it is its own."""
    node = _document(text, kind)
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", field):
        found = _child(node, step)
        if found is None:
            return line, False
        line, node = found
    return line, True


def _document(text: str, kind: str) -> yaml.Node | None:
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return None
    return next((node for node in documents if _kind(node) == kind), None)


def _kind(document: yaml.Node | None) -> str | None:
    """The document's kind; an empty document is None, whatever the stubs say."""
    found = _child(document, "kind") if document else None
    return found[1].value if found else None


def _child(node: yaml.Node, step: str) -> tuple[int, yaml.Node] | None:
    """The line and the node of one step down."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and step.startswith("["):
        index = int(step[1:-1])
        if index < len(node.value):
            item = node.value[index]
            return item.start_mark.line + 1, item
    return None
