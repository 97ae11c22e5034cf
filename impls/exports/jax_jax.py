"""JAX's own exporter, ``jax.export``: a StableHLO program that JAX runs without the network's Python code."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.extend.mlir import deserialize_portable_artifact, ir
from jax.extend.mlir.dialects import stablehlo

from impls.contract import Weights
from impls.exports.graph import IMAGES, INPUT, OUTPUT, Node, Predict
from impls.matched.jax import logits_of
from impls.models.jax import build
from impls.workload import Workload

SUFFIX = ".jaxexport"
PACKAGES = ("jax", "flatbuffers")
Constants = dict[Any, tuple[int, int]]
"""Parameters and bytes of the constants in each value that no operation on images has used yet."""


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """The network with any number of images ``[n, 784]`` or ``[n, 28, 28, 1]``, lowered for the CPU.

    Nothing in it is special to the CPU, so JAX's refusal to run it on another device is switched off. The format holds
    no texts, so ``about`` is the function's name, which only messages use. Paths of this machine's source files, which
    JAX leaves in the program, are removed.
    """
    _, arrays = build(workload, weights)

    def network(image: jax.Array) -> dict[str, jax.Array]:
        # one image at a time, since the network's code asks how many there are, and that is only a symbol here
        return {OUTPUT: jax.vmap(lambda one: logits_of(workload, arrays, one[None])[0])(image)}

    jax.config.update("jax_traceback_in_locations_limit", 0)
    shape = (*export.symbolic_shape(IMAGES), *workload.shapes[0])
    anywhere = [export.DisabledSafetyCheck.platform()]
    program = export.export(jax.jit(network), platforms=["cpu"], disabled_checks=anywhere)(
        **{INPUT: jax.ShapeDtypeStruct(shape, jnp.float32)}
    )
    path.write_bytes(replace(program, fun_name=json.dumps(about)).serialize())


def read(path: Path) -> export.Exported:
    """The program in the file."""
    return export.deserialize(bytearray(path.read_bytes()))


def load(path: Path) -> Predict:
    """The network as JAX reads it back, compiled for each number of images."""
    run = jax.jit(read(path).call)
    return lambda x: np.asarray(run(**{INPUT: x})[OUTPUT])


def about(path: Path) -> dict[str, str]:
    """The texts in the function's name."""
    return json.loads(read(path).fun_name)


def graph(path: Path) -> list[Node]:
    """The program's operations on images in their order. A constant counts where it reaches one of them first."""
    with ir.Context() as context:
        stablehlo.register_dialect(context)
        module = deserialize_portable_artifact(read(path).mlir_module_serialized)
        functions = {function.attributes["sym_name"].value: function for function in module.body.operations}
        return list(steps(functions["main"], functions, {}))


def steps(function: Any, functions: dict[str, Any], constants: Constants) -> Iterator[Node]:
    """The operations of a function whose output depends on the images, and those of the functions that it calls."""
    for operation in function.regions[0].blocks[0].operations:
        if operation.operation.name == "func.call":
            yield from steps(functions[operation.attributes["callee"].value], functions, constants)
        elif len(operation.results) == 1:
            kind, result = operation.operation.name.removeprefix("stablehlo."), operation.results[0]
            type, taken = result.type, [constants.pop(value, (0, 0)) for value in operation.operands]
            parameters, size_bytes = (sum(column) for column in zip((0, 0), *taken, strict=True))
            shape = tuple(None if type.is_dynamic_dim(i) else type.get_dim_size(i) for i in range(type.rank))
            if None in shape:
                yield Node(result.get_name(), kind, shape, parameters, size_bytes)
                continue
            if kind == "constant":
                size = math.prod(type.shape)
                parameters = size if shape and type.element_type == ir.F32Type.get() else 0
                size_bytes = size * type.element_type.width // 8
            constants[result] = parameters, size_bytes
