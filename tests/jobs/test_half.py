"""Which part of a network fp16 is: from its first layers to its last, with their weights."""

import onnx
from onnx import TensorProto, helper

from trimtab_jobs.stages.half import around_layers


def graph(*nodes: onnx.NodeProto, weights: tuple[str, ...]) -> onnx.ModelProto:
    zeros = [helper.make_tensor(name, TensorProto.FLOAT, (2, 2), [0.0] * 4) for name in weights]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("batch", 2)) for name in ("x", "y")]
    return helper.make_model(helper.make_graph(nodes, "graph", ends[:1], ends[1:], zeros))


def test_what_is_done_to_raw_inputs_and_to_the_last_outputs_stays_outside() -> None:
    model = graph(
        helper.make_node("Sub", ["x", "mean"], ["centred"], "centre"),
        helper.make_node("Transpose", ["weight"], ["turned"], "turn"),
        helper.make_node("MatMul", ["centred", "turned"], ["hidden"], "layer"),
        helper.make_node("Relu", ["hidden"], ["bent"], "bend"),
        helper.make_node("MatMul", ["bent", "weight"], ["score"], "last"),
        helper.make_node("Div", ["score", "scale"], ["y"]),
        weights=("mean", "weight", "scale"),
    )
    assert around_layers(model) == ["centre", "Div_5"]


def test_a_table_that_is_looked_up_is_a_layer_and_a_choice_of_columns_is_none() -> None:
    model = graph(
        helper.make_node("Gather", ["x", "columns"], ["chosen"], "choose"),
        helper.make_node("Gather", ["table", "chosen"], ["found"], "look up"),
        helper.make_node("Relu", ["found"], ["y"], "bend"),
        weights=("table", "columns"),
    )
    assert around_layers(model) == ["choose", "bend"]
