"""LiteRT files (``.tflite``): named as they are to be used, run by LiteRT's interpreter, and looked into."""

import json
import math
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.schema_py_generated import BufferT, MetadataT, TensorType
from ai_edge_litert.tools import flatbuffer_utils

from impls.exports.graph import OUTPUT, Node, Predict
from impls.workload import Float32

SUFFIX = ".tflite"
PACKAGES = ("ai_edge_litert",)
ABOUT = b"about"
"""The name of our entry in the file's metadata, a JSON text; LiteRT itself looks at its own entries only."""


def finish(path: Path, about: dict[str, str]) -> None:
    """Give what the converter wrote its names, and ``about`` as metadata."""
    model = flatbuffer_utils.read_model(path)
    model.signatureDefs[0].outputs[0].name = OUTPUT
    buffer, entry = BufferT(), MetadataT()
    buffer.data = np.frombuffer(json.dumps(about).encode(), np.uint8)
    entry.name, entry.buffer = ABOUT, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)
    flatbuffer_utils.write_model(model, path)


def load(path: Path) -> Predict:
    """The network in LiteRT's interpreter with its own kernels, on one thread of the CPU."""
    interpreter = Interpreter(str(path), num_threads=1)
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    held = 0

    def predict(x: Float32) -> Float32:
        nonlocal held
        if len(x) != held:
            interpreter.resize_tensor_input(taken["index"], x.shape)
            interpreter.allocate_tensors()
            held = len(x)
        interpreter.set_tensor(taken["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return predict


def graph(path: Path) -> list[Node]:
    """The file's operators in their order. A constant counts where it is used first."""
    model = flatbuffer_utils.read_model(path)
    tensors, counted, nodes = model.subgraphs[0].tensors, set[int](), []
    for operator in model.subgraphs[0].operators:
        parameters = size_bytes = 0
        for position in operator.inputs:
            data = model.buffers[tensors[position].buffer].data if position >= 0 else None
            if data is not None and position not in counted:
                counted.add(position)
                size_bytes += len(data)
                parameters += math.prod(tensors[position].shape) * (tensors[position].type == TensorType.FLOAT32)
        made = tensors[operator.outputs[0]]
        dims = made.shape if made.shapeSignature is None else made.shapeSignature
        kind = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        shape = tuple(None if size < 0 else int(size) for size in dims)
        nodes.append(Node(made.name.decode(), kind, shape, parameters, size_bytes))
    return nodes


def about(path: Path) -> dict[str, str]:
    """The texts in the file's metadata."""
    model = flatbuffer_utils.read_model(path)
    entry = next(entry for entry in model.metadata if entry.name == ABOUT)
    return json.loads(bytes(model.buffers[entry.buffer].data))
