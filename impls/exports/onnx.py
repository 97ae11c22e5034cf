"""ONNX files: named as they are to be used, run by ONNX Runtime, and looked into."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from impls.exports.graph import IMAGES, INPUT, OUTPUT, Node, Predict
from impls.workload import Float32

SUFFIX = ".onnx"
PACKAGES = ("onnx", "onnxruntime")
SILENT = 3
"""ONNX Runtime's level of logging at which it reports errors only."""


def finish(model: onnx.ModelProto, path: Path, about: dict[str, str]) -> None:
    """Write what an exporter made: one input, one output, called as everywhere here; ``about`` as metadata.

    Exporters leave paths of this machine's source files in the nodes: those are removed.
    """
    graph = model.graph
    names = {graph.input[0].name: INPUT, graph.output[0].name: OUTPUT}
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (graph.input[0], graph.output[0]):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = IMAGES
    del graph.value_info[:], graph.metadata_props[:]
    onnx.helper.set_model_props(model, about)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, path)


def load(path: Path) -> Predict:
    """The network in ONNX Runtime, on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = SILENT
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape[1:]

    def predict(x: Float32) -> Float32:
        # an image has one channel, so that first or last is the same row of numbers
        return session.run([OUTPUT], {INPUT: x.reshape(-1, *shape)})[0]

    return predict


def graph(path: Path) -> list[Node]:
    """The file's nodes in their order. A constant counts where it is used first."""
    model = onnx.load_model(path)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    values = {value.name: value for value in (*model.graph.value_info, *model.graph.output)}
    nodes = []
    for node in model.graph.node:
        taken = [onnx.numpy_helper.to_array(constants.pop(name)) for name in node.input if name in constants]
        found = [array for array in taken if np.issubdtype(array.dtype, np.floating)]
        shape = None
        if node.output[0] in values:
            dims = values[node.output[0]].type.tensor_type.shape.dim
            shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
        parameters, size_bytes = sum(array.size for array in found), sum(array.nbytes for array in taken)
        nodes.append(Node(node.name, node.op_type, shape, parameters, size_bytes))
    return nodes


def about(path: Path) -> dict[str, str]:
    """The texts in the file's metadata."""
    return {entry.key: entry.value for entry in onnx.load_model(path, load_external_data=False).metadata_props}
