"""PyTorch, matched: the given start, the given batches, and PyTorch's plain training loop.

The data lies on the device as tensors and a batch is picked by index, so that what is timed is the framework: no
DataLoader, no per-sample transforms, no compilation.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from impls.contract import SGD, Unavailable

ACTIVATIONS = {"linear": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Implementation:
    takes_order = True
    adam = ("pytorch", 1e-8)

    def __init__(self, workload, device, seed):
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("PyTorch sees no CUDA device")
        if device == "mps" and not torch.backends.mps.is_available():
            raise Unavailable("PyTorch sees no MPS device")
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("highest")
        self.workload = workload
        self.device = torch.device(device)
        self.dense = [nn.Linear(*sizes) for sizes in pairwise(workload.sizes)]
        modules = []
        for linear, layer in zip(self.dense, workload.layers, strict=True):
            modules += [linear] if layer.activation == "linear" else [linear, ACTIVATIONS[layer.activation]()]
        self.model = nn.Sequential(*modules).to(self.device)
        self.loss = cross_entropy if workload.loss == "cross-entropy" else log_softmax_nll
        optimiser = torch.optim.SGD if isinstance(workload.optimiser, SGD) else torch.optim.Adam
        self.optimiser = optimiser(self.model.parameters(), lr=workload.optimiser.learning_rate)
        self.switches = {
            "threads": torch.get_num_threads(),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "compile": "no",
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "optimiser": repr(self.optimiser).replace("\n", " "),
        }

    def load(self, data):
        self.x = torch.from_numpy(self.workload.scale(data.x_train)).to(self.device)
        self.y = torch.from_numpy(data.y_train.astype(np.int64)).to(self.device)
        self.x_test = torch.from_numpy(self.workload.scale(data.x_test)).to(self.device)

    def set_weights(self, weights):
        with torch.no_grad():
            for linear, (kernel, bias) in zip(self.dense, weights, strict=True):
                linear.weight.copy_(torch.from_numpy(kernel.T))
                linear.bias.copy_(torch.from_numpy(bias))

    def get_weights(self):
        return [(linear.weight.detach().cpu().numpy().T.copy(), linear.bias.detach().cpu().numpy().copy())
                for linear in self.dense]  # fmt: skip

    def train_epoch(self, order):
        self.model.train()
        total = torch.zeros((), device=self.device)
        for batch in torch.from_numpy(order).to(self.device).split(self.workload.batch_size):
            self.optimiser.zero_grad()
            loss = self.loss(self.model(self.x[batch]), self.y[batch])
            loss.backward()
            self.optimiser.step()
            total += loss.detach() * len(batch)
        return total.item() / len(order)

    def predict(self):
        self.model.eval()
        with torch.no_grad():
            logits = [self.model(x) for x in self.x_test.split(self.workload.test_batch_size)]
        return torch.cat(logits).cpu().numpy()

    def sync(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        if self.device.type == "mps":
            torch.mps.synchronize()

    def device_memory(self):
        if self.device.type != "cuda":
            return None
        return {"peak_bytes": torch.cuda.max_memory_allocated(), "reserved_bytes": torch.cuda.max_memory_reserved()}


def cross_entropy(logits, labels):
    return nn.functional.cross_entropy(logits, labels)


def log_softmax_nll(logits, labels):
    return nn.functional.nll_loss(nn.functional.log_softmax(logits, dim=1), labels)
