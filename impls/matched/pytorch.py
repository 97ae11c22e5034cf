"""PyTorch, matched: the given start, the given batches, and PyTorch's plain training loop.

The data lies on the device as tensors and a batch is picked by index, so that what is timed is the framework: no
DataLoader, no per-sample transforms, no compilation.
"""

import math

import numpy as np
import torch
from torch import nn

from impls.contract import Unavailable
from impls.layout import from_pytorch, to_pytorch
from impls.workload import SGD, Conv, Dense, Dropout, Pool

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Implementation:
    takes_order = True
    adam = ("pytorch", 1e-8)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable(f"PyTorch {torch.__version__} sees no CUDA device")
        if device == "mps" and not torch.backends.mps.is_available():
            raise Unavailable(f"PyTorch {torch.__version__} sees no MPS device")
        if device == "mps" and workload.dtype == "float64":
            raise Unavailable("MPS has no float64")
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = workload.precision == "tf32"
        self.workload = workload
        self.device = torch.device(device)
        self.model = nn.Sequential(*layers(workload)).to(self.device, getattr(torch, workload.dtype))
        self.trained = [module for module in self.model if hasattr(module, "weight")]
        self.loss = cross_entropy if workload.loss == "cross-entropy" else log_softmax_nll
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            self.optimiser = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=workload.optimiser.momentum)
        else:
            self.optimiser = torch.optim.Adam(self.model.parameters(), lr=rate)

    def load(self, data):
        self.x = torch.from_numpy(self.workload.scale(data.x_train)).to(self.device).movedim(-1, 1)
        self.y = torch.from_numpy(data.y_train.astype(np.int64)).to(self.device)
        self.x_test = torch.from_numpy(self.workload.scale(data.x_test)).to(self.device).movedim(-1, 1)
        if self.device.type == "cuda":  # the peak is that of training: what loading needed besides is given back
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def set_weights(self, weights):
        with torch.no_grad():
            for module, before, (kernel, bias) in zip(self.trained, self.workload.inputs, weights, strict=True):
                module.weight.copy_(torch.from_numpy(to_pytorch(kernel, before)))
                module.bias.copy_(torch.from_numpy(bias))

    def get_weights(self):
        return [(from_pytorch(module.weight.numpy(force=True), before), module.bias.numpy(force=True).copy())
                for module, before in zip(self.trained, self.workload.inputs, strict=True)]  # fmt: skip

    def train_epoch(self, order):
        self.model.train()
        total = torch.zeros((), dtype=self.x.dtype, device=self.device)
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

    @property
    def switches(self):
        return {
            "initialiser": "given by the harness",
            "adam_epsilon": self.optimiser.defaults.get("eps"),
            "last_batch": "used",
            "precision": str(self.x.dtype).removeprefix("torch."),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "tf32": torch.backends.cuda.matmul.allow_tf32,
            "threads": torch.get_num_threads(),
            "compile": "no",
            "data": f"tensors on {self.x.device.type}",
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "optimiser": repr(self.optimiser).replace("\n", " "),
            "predict": "model(x)",
            "device_memory": "torch.cuda, since loading" if self.device.type == "cuda" else None,
        }


def layers(workload):
    for layer, before in zip(workload.layers, workload.shapes, strict=False):
        match layer:
            case Dense():
                yield from [nn.Flatten()] if len(before) == 3 else []
                yield nn.Linear(math.prod(before), layer.units)
            case Conv():
                yield nn.Conv2d(before[-1], layer.filters, layer.size, padding=layer.padding)
            case Pool():
                yield nn.MaxPool2d(layer.size)
            case Dropout():
                yield nn.Dropout(layer.rate)
        if isinstance(layer, Dense | Conv) and layer.activation != "linear":
            yield ACTIVATIONS[layer.activation]()


def cross_entropy(logits, labels):
    return nn.functional.cross_entropy(logits, labels)


def log_softmax_nll(logits, labels):
    return nn.functional.nll_loss(nn.functional.log_softmax(logits, dim=1), labels)
