"""PyTorch, tuned: forward, backward and Adam of several steps as one compiled program.

``torch.compile`` of whole steps, with gradients by ``torch.func`` and Adam written out, gives Inductor all arithmetic
at once, and ``STEPS`` steps share the cost of one call. Of the hundreds of guards that PyTorch would check before each
call, only those on tensors and on the workload are kept, since nothing else changes here. Numbers below 1e-38 are
flushed to 0: the moments of pixels that are nearly always empty decay to such numbers, and a CPU computes slowly with
them. Dense kernels whose width fills a CPU's vectors lie as ``[in, out]`` in memory, since MKL multiplies faster by
those. Adam's two divisions are one. On a GPU a CUDA graph is captured after the first call, and all others replay it.
All else is as in ``impls/matched/pytorch.py``.
"""

import math
import os
import shutil

import torch
from torch import nn

from impls.contract import Unavailable
from impls.matched.pytorch import Implementation
from impls.workload import SGD

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
STEPS = 2
VECTOR = 16
"""How many 32-bit numbers the widest vector of a CPU holds."""
COMPILERS = "gcc", "clang"


class Implementation(Implementation):
    def __init__(self, workload, device, seed):
        if device == "mps":
            raise Unavailable(f"PyTorch {torch.__version__} compiles nothing for MPS that is measured here")
        if device == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
            raise Unavailable("torch.compile needs a C++ compiler: install g++, or name yours in CXX")
        if device == "cuda" and not any(map(shutil.which, [os.environ["CC"]] if "CC" in os.environ else COMPILERS)):
            raise Unavailable("torch.compile needs a C compiler for CUDA too: install gcc, or name yours in CC")
        super().__init__(workload, device, seed)
        torch.set_flush_denormal(True)
        dense = [module for module in self.trained if isinstance(module, nn.Linear)]
        for layer in (layer for layer in dense if layer.out_features % VECTOR == 0):
            layer.weight.data = layer.weight.data.T.contiguous().T
        self.weights = {name: weight.detach() for name, weight in self.model.named_parameters()}
        self.first, self.second = ([torch.zeros_like(w) for w in self.weights.values()] for _ in range(2))
        self.count, self.total = (torch.zeros((), dtype=getattr(torch, workload.dtype), device=device) for _ in "12")
        torch.compiler.reset()  # what was compiled for other networks counts against a limit
        self.options = {"guard_filter_fn": checked_guards} | ({"cpp_wrapper": True} if device == "cpu" else {})
        self.compiled = torch.compile(self.steps, fullgraph=True, dynamic=False, options=self.options)

    def load(self, data):
        super().load(data)
        self.graphs = {}  # they would go on with the data before

    def train_epoch(self, order):
        self.model.train()
        self.total.zero_()
        size = self.workload.batch_size
        steps = max(1, min(STEPS, len(order) // size))  # so that the verification, too, runs what is compiled
        whole = len(order) // (steps * size) * steps * size
        order = torch.from_numpy(order).to(self.device)
        with torch.no_grad():
            for group in order[:whole].view(-1, steps, size):
                self.go(group)
            for batch in order[whole:].split(size) if whole < len(order) else ():  # what fills no group, op by op
                self.steps(batch[None])
        return self.total.item() / len(order)

    @property
    def switches(self):
        return super().switches | {
            "adam_epsilon": EPSILON,
            "compile": f"{STEPS} steps, Inductor{', one CUDA graph' if self.device.type == 'cuda' else ''}",
            "denormals": "taken for 0",
            "optimiser": "written out",
        }

    def go(self, group):
        """Call the compiled program; on a GPU it is captured after the first call of a length, the others replay it."""
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
        """Take a step for each row of ``group`` (int64 ``[n, size]``) and add the samples' losses to the total."""
        for batch in group:
            gradients, loss = torch.func.grad_and_value(self.loss_of)(self.weights, self.x[batch], self.y[batch])
            self.update(list(gradients.values()))
            self.total += loss * len(batch)

    def loss_of(self, weights, x, y):
        return self.loss(torch.func.functional_call(self.model, weights, (x,)), y)

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


def checked_guards(guards):
    """Which guards ``torch.compile`` checks before each call."""
    return [guard.guard_type == "TENSOR_MATCH" or "workload" in guard.name for guard in guards]
