"""PyTorch, tuned: forward, backward and Adam of a step as one compiled program.

``torch.compile`` of the whole step, with the gradients taken by ``torch.func`` and Adam written out, leaves Inductor
the arithmetic of a step in one piece; between steps Python only picks a batch. On a GPU the step becomes a CUDA graph.
"""

import math

import numpy as np
import torch
from torch import nn

from impls.contract import SGD, Unavailable
from impls.layout import from_pytorch, to_pytorch
from impls.matched.pytorch import layers

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Implementation:
    takes_order = True
    adam = ("pytorch", EPSILON)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        if device == "mps" or (device == "cuda" and not torch.cuda.is_available()):
            raise Unavailable(f"PyTorch {torch.__version__} sees no {device.upper()} device that it compiles for")
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = workload.precision == "tf32"
        self.workload, self.device = workload, torch.device(device)
        self.model = nn.Sequential(*layers(workload)).to(self.device, getattr(torch, workload.dtype))
        self.trained = [module for module in self.model if isinstance(module, nn.Linear | nn.Conv2d)]
        self.weights = {name: weight.detach() for name, weight in self.model.named_parameters()}
        self.first, self.second = ([torch.zeros_like(w) for w in self.weights.values()] for _ in range(2))
        self.steps = torch.zeros((), dtype=getattr(torch, workload.dtype), device=self.device)
        torch.compiler.reset()  # what was compiled for other networks counts against a limit
        options = {"cpp_wrapper": True} if device == "cpu" else {"triton.cudagraphs": True}
        self.step = torch.compile(self.step_of, fullgraph=True, dynamic=False, options=options)

    def load(self, data):
        self.x, self.x_test = (
            torch.from_numpy(self.workload.scale(x)).to(self.device).movedim(-1, 1) for x in (data.x_train, data.x_test)
        )
        self.y = torch.from_numpy(data.y_train.astype(np.int64)).to(self.device)
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
        total = torch.zeros_like(self.steps)
        with torch.no_grad():
            for batch in torch.from_numpy(order).to(self.device).split(self.workload.batch_size):
                total += self.step(self.x, self.y, batch) * len(batch)
        return total.item() / len(order)

    def step_of(self, x, y, batch):
        """One step in place, and the mean loss before it."""
        gradients, loss = torch.func.grad_and_value(self.loss)(self.weights, x[batch], y[batch])
        optimiser, moments = self.workload.optimiser, zip(self.first, self.second, strict=True)
        self.steps += 1
        for (name, w), (m, v) in zip(self.weights.items(), moments, strict=True):
            g = gradients[name]
            if isinstance(optimiser, SGD):
                m.copy_(optimiser.momentum * m + g)
                w -= optimiser.learning_rate * m
            else:
                m.copy_(BETA_1 * m + (1 - BETA_1) * g)
                v.copy_(BETA_2 * v + (1 - BETA_2) * g * g)
                unbias_1, unbias_2 = (1 - torch.exp(self.steps * math.log(beta)) for beta in (BETA_1, BETA_2))
                w -= optimiser.learning_rate * (m / unbias_1) / ((v / unbias_2).sqrt() + EPSILON)
        return loss

    def loss(self, weights, x, y):
        return nn.functional.cross_entropy(torch.func.functional_call(self.model, weights, (x,)), y)

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
            "compile": "the step, Inductor",
            "data": f"tensors on {self.x.device.type}",
        }
