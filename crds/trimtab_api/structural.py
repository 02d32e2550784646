"""Models as structural schemas, the part of OpenAPI that a CustomResourceDefinition takes.

Nothing is referred to, nothing unknown is let in, absent stands for null, and every rule is there as CEL.
What Kubernetes cannot say (a value of any scalar type) is left open.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from trimtab_api.edits import HELD, held_fields
from trimtab_api.job import JobSpec
from trimtab_api.model import Model, rules_of
from trimtab_api.search import SearchSpec

Json = dict[str, Any]
COPIED = (
    "type",
    "enum",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)
"""What a structural schema says in the words of JSON Schema."""
OPEN: Json = {"x-kubernetes-preserve-unknown-fields": True}


def structural(model: type[BaseModel]) -> Json:
    """Return the structural schema of a model, with all models in it."""
    known = {each.__name__: each for each in _models(Model)}
    return _object(model, known)


def _models(root: type[BaseModel]) -> list[type[BaseModel]]:
    return [each for child in root.__subclasses__() for each in (child, *_models(child))]


def _object(model: type[BaseModel], known: dict[str, type[BaseModel]]) -> Json:
    schema = model.model_json_schema()
    properties, required = {}, []
    for name, field in model.model_fields.items():
        alias = field.alias or name
        node = _node(schema["properties"][alias], known)
        node["description"] = field.description
        if field.is_required():
            required.append(alias)
        elif (default := default_of(field)) is not None:
            node["default"] = default
        properties[alias] = node
    result: Json = {"type": "object", "description": (model.__doc__ or "").split("\n")[0]}
    if properties:
        result["properties"] = properties
    if required:
        result["required"] = required
    if rules := validations(model):
        result["x-kubernetes-validations"] = rules
    return result


def _node(node: Json, known: dict[str, type[BaseModel]]) -> Json:
    """Return one value's schema: what JSON Schema says, in structural words."""
    if "anyOf" in node:
        kinds = [kind for kind in node["anyOf"] if kind != {"type": "null"}]
        return _node(kinds[0], known) if len(kinds) == 1 else dict(OPEN)
    if "$ref" in node:
        return _object(known[node["$ref"].rsplit("/", 1)[1]], known)
    result = {word: node[word] for word in COPIED if word in node}
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if exclusive in node:
            result |= {bound: node[exclusive], exclusive: True}
    if node.get("type") == "array":
        result["items"] = _node(node.get("items") or node["prefixItems"][0], known)
    values = node.get("additionalProperties")
    if isinstance(values, dict):
        result["additionalProperties"] = _node(values, known)
    elif values:
        result |= OPEN
    return result


def default_of(field: FieldInfo) -> Any:
    """Return the default of a field as the API server fills it in; None when there is none."""
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return list(default) if isinstance(default, tuple) else default


def validations(model: type[BaseModel]) -> list[Json]:
    """Return the CEL rules of a model: those of its methods, then those that hold fields as they were."""
    rules = []
    for rule in rules_of(model):
        where = {"fieldPath": f".{rule.at}"} if rule.at else {}
        rules.append({"rule": rule.cel, "message": rule.message, **where})
    if model in (JobSpec, SearchSpec):
        for held in held_fields(model):
            rules.append(
                {
                    "rule": held.cel,
                    "message": HELD,
                    "fieldPath": f".{held.name}",
                    "reason": "FieldValueForbidden",
                }
            )
    return rules
