"""PyTorch, tuned: forward, backward and Adam of several steps as one compiled program.

``torch.compile`` of whole steps, with the gradients taken by ``torch.func`` and Adam written out, leaves Inductor all
arithmetic in one piece, and ``STEPS`` of them in a call share what it costs to get there. Numbers below 1e-38 are taken
for 0: the moments of pixels that are nearly always empty decay to there, where a CPU computes slowly. Adam's two
divisions are one. On a GPU the first call is captured behind itself, and all others replay it as a CUDA graph.
"""

import math
import os
import shutil

import numpy as np
import torch
from torch import nn

from impls.contract import SGD, Unavailable
from impls.layout import from_pytorch, to_pytorch
from impls.matched.pytorch import layers

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
STEPS = 4
COMPILERS = "gcc", "clang"


class Implementation:
    takes_order = True
    adam = ("pytorch", EPSILON)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        if device == "mps" or (device == "cuda" and not torch.cuda.is_available()):
            raise Unavailable(f"PyTorch {torch.__version__} sees no {device.upper()} device that it compiles for")
        if device == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
            raise Unavailable("torch.compile needs a C++ compiler: install g++, or name yours in CXX")
        if device == "cuda" and not any(map(shutil.which, [os.environ["CC"]] if "CC" in os.environ else COMPILERS)):
            raise Unavailable("torch.compile needs a C compiler for CUDA too: install gcc, or name yours in CC")
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = workload.precision == "tf32"
        self.workload, self.device = workload, torch.device(device)
        self.model = nn.Sequential(*layers(workload)).to(self.device, getattr(torch, workload.dtype))
        self.trained = [module for module in self.model if isinstance(module, nn.Linear | nn.Conv2d)]
        self.weights = {name: weight.detach() for name, weight in self.model.named_parameters()}
        self.first, self.second = ([torch.zeros_like(w) for w in self.weights.values()] for _ in range(2))
        self.count, self.total = (torch.zeros((), dtype=getattr(torch, workload.dtype), device=device) for _ in "12")
        torch.compiler.reset()  # what was compiled for other networks counts against a limit
        self.compiled = torch.compile(
            self.steps, fullgraph=True, dynamic=False, options={"cpp_wrapper": True} if device == "cpu" else {}
        )
        self.graphs = {}

    def load(self, data):
        self.x, self.x_test = (
            torch.from_numpy(self.workload.scale(x)).to(self.device).movedim(-1, 1) for x in (data.x_train, data.x_test)
        )
        self.y = torch.from_numpy(data.y_train.astype(np.int64)).to(self.device)
        self.graphs = {}  # they would go on with the data before
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def set_weights(self, weights):
        for module, before, (kernel, bias) in zip(self.trained, self.workload.inputs, weights, strict=True):
            module.weight.data.copy_(torch.from_numpy(to_pytorch(kernel, before)))
            module.bias.data.copy_(torch.from_numpy(bias))

    def get_weights(self):
        return [(from_pytorch(module.weight.numpy(force=True), before), module.bias.numpy(force=True).copy())
                for module, before in zip(self.trained, self.workload.inputs, strict=True)]  # fmt: skip

    def train_epoch(self, order):
        self.model.train()
        self.total.zero_()
        size = self.workload.batch_size
        steps = max(
            1, min(STEPS, len(order) // size)
        )  # so that the gate sees what is compiled, however few its batches
        whole = len(order) // (steps * size) * steps * size
        order = torch.from_numpy(order).to(self.device)
        with torch.no_grad():
            for group in order[:whole].view(-1, steps, size):
                self.go(group)
            for batch in order[whole:].split(size) if whole < len(order) else ():  # what fills no group, op by op
                self.steps(batch[None])
        return self.total.item() / len(order)

    def predict(self):
        self.model.eval()
        with torch.no_grad():
            logits = [self.model(x) for x in self.x_test.split(self.workload.test_batch_size)]
        return torch.cat(logits).cpu().numpy()

    def sync(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def device_memory(self):
        if self.device.type != "cuda":
            return None
        return {"peak_bytes": torch.cuda.max_memory_allocated(), "reserved_bytes": torch.cuda.max_memory_reserved()}

    @property
    def switches(self):
        return {
            "initialiser": "given by the harness",
            "adam_epsilon": EPSILON,
            "last_batch": "used",
            "precision": str(self.x.dtype).removeprefix("torch."),
            "tf32": torch.backends.cuda.matmul.allow_tf32,
            "threads": torch.get_num_threads(),
            "compile": f"{STEPS} steps, Inductor{', one CUDA graph' if self.device.type == 'cuda' else ''}",
            "data": f"tensors on {self.x.device.type}",
            "denormals": "taken for 0",
            "device_memory": "torch.cuda, since loading" if self.device.type == "cuda" else None,
        }

    def go(self, group):
        """A call of what is compiled; on a GPU the first of its length, which compiles, and then replays."""
        if len(group) in self.graphs:
            held, graph = self.graphs[len(group)]
            held.copy_(group)
            graph.replay()
            return
        self.compiled(group)
        if self.device.type == "cuda":
            held, graph = self.graphs[len(group)] = group.clone(), torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # which trains nothing
                self.compiled(held)

    def steps(self, group):
        """Steps in place, one for each row of ``group`` (int64 ``[n, size]``); the samples' losses join the total."""
        for batch in group:
            gradients, loss = torch.func.grad_and_value(self.loss)(self.weights, self.x[batch], self.y[batch])
            self.update(list(gradients.values()))
            self.total += loss * len(batch)

    def loss(self, weights, x, y):
        return nn.functional.cross_entropy(torch.func.functional_call(self.model, weights, (x,)), y)

    def update(self, gradients):
        self.count += 1
        rate, root = self.workload.optimiser.learning_rate, (1 - torch.exp(self.count * math.log(BETA_2))).sqrt()
        unbiased = rate * root / (1 - torch.exp(self.count * math.log(BETA_1)))
        for w, m, v, g in zip(self.weights.values(), self.first, self.second, gradients, strict=True):
            if isinstance(self.workload.optimiser, SGD):
                m.copy_(self.workload.optimiser.momentum * m + g)
                w -= rate * m
            else:
                m.copy_(BETA_1 * m + (1 - BETA_1) * g)
                v.copy_(BETA_2 * v + (1 - BETA_2) * g * g)
                w -= unbiased * m / (v.sqrt() + EPSILON * root)
