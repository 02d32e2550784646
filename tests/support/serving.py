"""What model servers demand of a published tree, told by their own definitions.

Triton: a part of triton-inference-server/common protobuf/model_config.proto (83adf7c), read as Triton does,
by protobuf's text format: an unknown field, enumerator or type is an error. Rules that the messages cannot
say are from docs/user_guide/model_configuration.md (maximum batch size, inputs and outputs, reshape).
KServe: a part of config/crd/full/serving.kserve.io_inferenceservices.yaml (aaac4e2), v1beta1; the store's
schemes from pkg/controller/v1beta1/inferenceservice/utils/utils.go.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

_TYPES = descriptor_pb2.FieldDescriptorProto
_ENUMS = {
    "DataType": (
        "TYPE_INVALID TYPE_BOOL TYPE_UINT8 TYPE_UINT16 TYPE_UINT32 TYPE_UINT64 TYPE_INT8 TYPE_INT16 "
        "TYPE_INT32 TYPE_INT64 TYPE_FP16 TYPE_FP32 TYPE_FP64 TYPE_STRING TYPE_BF16"
    ),
    "Kind": "KIND_AUTO KIND_GPU KIND_CPU KIND_MODEL",
}
_TENSOR = {"name": "string", "data_type": "DataType", "dims": "int64*", "reshape": "ModelTensorReshape"}
_MESSAGES = {
    "ModelTensorReshape": {"shape": "int64*"},
    "ModelInput": _TENSOR,
    "ModelOutput": _TENSOR,
    "ModelDynamicBatching": {"preferred_batch_size": "int32*", "max_queue_delay_microseconds": "uint64"},
    "ModelInstanceGroup": {"name": "string", "kind": "Kind", "count": "int32", "gpus": "int32*"},
    "ModelParameter": {"string_value": "string"},
    "ParametersEntry": {"key": "string", "value": "ModelParameter"},
    "ModelConfig": {
        "name": "string",
        "platform": "string",
        "backend": "string",
        "max_batch_size": "int32",
        "input": "ModelInput*",
        "output": "ModelOutput*",
        "dynamic_batching": "ModelDynamicBatching",
        "instance_group": "ModelInstanceGroup*",
        "parameters": "ParametersEntry*",
    },
}
INFERENCE_SERVICE = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "serving.kserve.io/v1beta1"},
        "kind": {"const": "InferenceService"},
        "metadata": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"}},
        },
        "spec": {
            "type": "object",
            "required": ["predictor"],
            "additionalProperties": False,
            "properties": {
                "predictor": {
                    "type": "object",
                    "required": ["model"],
                    "additionalProperties": False,
                    "properties": {
                        "model": {
                            "type": "object",
                            "required": ["modelFormat", "protocolVersion", "storageUri"],
                            "additionalProperties": False,
                            "properties": {
                                "modelFormat": {
                                    "type": "object",
                                    "required": ["name"],
                                    "properties": {
                                        "name": {"enum": ["onnx", "triton"]},
                                        "version": {"type": "string"},
                                    },
                                },
                                "protocolVersion": {"enum": ["v2", "grpc-v2"]},
                                "storageUri": {"type": "string", "pattern": "^(gs|s3|pvc|file|https)://.+"},
                            },
                        }
                    },
                }
            },
        },
    },
}
"""As JSON Schema. KServe's Triton runtime speaks v2 only; a service that names no protocol asks for v1."""


def triton_config(text: str) -> Any:
    """A config.pbtxt as Triton's ModelConfig; text_format.ParseError where Triton could not read it."""
    config = message_factory.GetMessageClass(
        _pool().FindMessageTypeByName("inference.ModelConfig")  # type: ignore[no-untyped-call]
    )()
    return text_format.Parse(text, config)


def type_name(value: int) -> str:
    """The name of a data type of a ModelConfig."""
    return _ENUMS["DataType"].split()[value]


def shapes(tensors: Any, max_batch_size: int) -> dict[str, list[int]]:
    """By name the shape that Triton feeds to the model, or expects of it; AssertionError for empty dims."""
    batch = [-1] if max_batch_size else []
    found = {}
    for tensor in tensors:
        assert tensor.dims, f"{tensor.name} has no dims"
        inner = tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims
        found[tensor.name] = [*batch, *inner]
    return found


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="model_config.proto", package="inference", syntax="proto3")
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values.split()):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            _add_field(message, (field, number), kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    return pool


def _add_field(message: descriptor_pb2.DescriptorProto, named: tuple[str, int], kind: str) -> None:
    one = kind.rstrip("*")
    field = message.field.add(name=named[0], number=named[1], label=3 if kind.endswith("*") else 1)
    if one in _ENUMS:
        field.type, field.type_name = _TYPES.TYPE_ENUM, f".inference.{one}"
    elif one in _MESSAGES:
        field.type, field.type_name = _TYPES.TYPE_MESSAGE, f".inference.{one}"
    else:
        field.type = _TYPES.Type.Value(f"TYPE_{one.upper()}")
