"""PyTorch as the tutorials write it: torchvision's MNIST, a DataLoader with per-sample transforms, an explicit loop.

The program shuffles and initialises by itself, prints the loss every 100 batches, and reads its images from disk.
"""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from impls.contract import Unavailable
from impls.layout import from_pytorch, to_pytorch
from impls.workload import SGD, Conv, Dense, Dropout, Pool

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Implementation:
    takes_order = False
    adam = ("pytorch", 1e-8)

    def __init__(self, workload, device, seed):
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable(f"PyTorch {torch.__version__} sees no CUDA device")
        if device == "mps" and not torch.backends.mps.is_available():
            raise Unavailable(f"PyTorch {torch.__version__} sees no MPS device")
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = workload.precision == "tf32"
        self.workload = workload
        self.device = torch.device(device)
        self.model = nn.Sequential(*layers(workload)).to(self.device)
        self.trained = [module for module in self.model if hasattr(module, "weight")]
        self.criterion = nn.CrossEntropyLoss()
        if workload.loss == "log-softmax-nll":
            self.model.append(nn.LogSoftmax(dim=1))
            self.criterion = nn.NLLLoss()
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            self.optimiser = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=workload.optimiser.momentum)
        else:
            self.optimiser = torch.optim.Adam(self.model.parameters(), lr=rate)

    def load(self, data):
        steps = [transforms.ToTensor()]
        if (self.workload.mean, self.workload.std) != (0, 1):
            steps.append(transforms.Normalize((self.workload.mean,), (self.workload.std,)))
        transform = transforms.Compose(steps)
        train = datasets.MNIST(data.root, train=True, download=False, transform=transform)
        test = datasets.MNIST(data.root, train=False, download=False, transform=transform)
        self.train_loader = DataLoader(train, batch_size=self.workload.batch_size, shuffle=self.workload.shuffle)
        self.test_loader = DataLoader(test, batch_size=self.workload.test_batch_size, shuffle=False)
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
        total = 0.0
        for number, (images, labels) in enumerate(self.train_loader):
            images, labels = images.to(self.device), labels.to(self.device)
            self.optimiser.zero_grad()
            loss = self.criterion(self.model(images), labels)
            loss.backward()
            self.optimiser.step()
            total += loss.item() * len(labels)
            if number % 100 == 0:
                print(f"batch {number}: loss {loss.item():.4f}")
        return total / len(self.train_loader.dataset)

    def predict(self):
        self.model.eval()
        with torch.no_grad():
            outputs = [self.model(images.to(self.device)) for images, _ in self.test_loader]
        return torch.cat(outputs).cpu().numpy()

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
            "initialiser": "nn.Linear's and nn.Conv2d's own: uniform in ±1/sqrt(in)",
            "adam_epsilon": self.optimiser.defaults.get("eps"),
            "last_batch": "dropped" if self.train_loader.drop_last else "used",
            "precision": str(next(self.model.parameters()).dtype).removeprefix("torch."),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "tf32": torch.backends.cuda.matmul.allow_tf32,
            "threads": torch.get_num_threads(),
            "compile": "no",
            "data": f"files in memory, transformed one by one, {self.train_loader.num_workers} extra processes",
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "optimiser": repr(self.optimiser).replace("\n", " "),
            "predict": "model(x), fed by the DataLoader",
            "device_memory": "torch.cuda, since loading" if self.device.type == "cuda" else None,
        }


def layers(workload):
    yield from [nn.Flatten()] if len(workload.shapes[0]) == 1 else []
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
