"""PyTorch as the documents write it: torchvision's MNIST, a DataLoader with per-sample transforms, an explicit loop.

The program shuffles and initialises by itself, prints the loss every 100 batches, and reads its images from disk.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from impls.contract import SGD, Unavailable

ACTIVATIONS = {"linear": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Implementation:
    takes_order = False
    adam = ("pytorch", 1e-8)

    def __init__(self, workload, device, seed):
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("PyTorch sees no CUDA device")
        if device == "mps" and not torch.backends.mps.is_available():
            raise Unavailable("PyTorch sees no MPS device")
        torch.manual_seed(seed)
        self.workload = workload
        self.device = torch.device(device)
        self.dense = [nn.Linear(*sizes) for sizes in pairwise(workload.sizes)]
        modules = [nn.Flatten()]
        for linear, layer in zip(self.dense, workload.layers, strict=True):
            modules += [linear] if layer.activation == "linear" else [linear, ACTIVATIONS[layer.activation]()]
        self.model = nn.Sequential(*modules).to(self.device)
        self.criterion = nn.CrossEntropyLoss()
        if workload.loss == "log-softmax-nll":
            self.model.append(nn.LogSoftmax(dim=1))
            self.criterion = nn.NLLLoss()
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
        steps = [transforms.ToTensor()]
        if (self.workload.mean, self.workload.std) != (0, 1):
            steps.append(transforms.Normalize((self.workload.mean,), (self.workload.std,)))
        transform = transforms.Compose(steps)
        train = datasets.MNIST(data.root, train=True, download=False, transform=transform)
        test = datasets.MNIST(data.root, train=False, download=False, transform=transform)
        self.train_loader = DataLoader(train, batch_size=self.workload.batch_size, shuffle=self.workload.shuffle)
        self.test_loader = DataLoader(test, batch_size=self.workload.test_batch_size, shuffle=False)

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
