"""The floor by PyTorch: products written in place, its fused optimiser; on a GPU each part is one CUDA graph."""

import torch

from impls import floor
from impls.contract import Unavailable
from impls.workload import SGD


class Floor:
    def __init__(self, workload, device, x):
        if device != "cpu" and not (device == "cuda" and torch.cuda.is_available()):
            raise Unavailable(f"PyTorch {torch.__version__} sees no {device.upper()} device that it can be measured on")
        torch.set_grad_enabled(False)
        torch.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
        self.workload, self.device = workload, torch.device(device)
        self.x = torch.from_numpy(x).to(self.device)
        self.operands = [[torch.from_numpy(a).to(self.device) for a in layer] for layer in floor.operands(workload)]
        self.results = [[torch.empty_like(a) for a in (error, kernel, x)] for x, kernel, error in self.operands]
        self.weights = torch.full((workload.parameters,), 1e-3, device=self.device)
        self.weights.grad = torch.full_like(self.weights, 1e-3)
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            self.rule = torch.optim.SGD([self.weights], lr=rate, momentum=workload.optimiser.momentum, fused=True)
        else:
            self.rule = torch.optim.Adam([self.weights], lr=rate, fused=True, capturable=device == "cuda")
        self.batch = torch.empty((workload.batch_size, *x.shape[1:]), device=self.device)
        self.matrices = [torch.from_numpy(floor.matrix()).to(self.device) for _ in range(3)]
        self.graphs = {}

    def products(self, steps):
        self.repeat(self.multiply, steps)

    def optimiser(self, steps):
        self.repeat(self.rule.step, steps)

    def gathering(self, steps):
        batches = torch.from_numpy(floor.batches(len(self.x), self.workload.batch_size, steps)).to(self.device)
        for batch in batches:
            torch.index_select(self.x, 0, batch, out=self.batch)
        self.sync()

    def large(self, times):
        for _ in range(times):
            torch.mm(*self.matrices[:2], out=self.matrices[2])
        self.sync()

    def multiply(self):
        layers = list(zip(self.operands, self.results, strict=True))
        for (x, kernel, _), (output, _, _) in layers:
            torch.mm(x, kernel, out=output)
        for (x, kernel, error), (_, gradient, back) in reversed(layers):
            torch.mm(x.T, error, out=gradient)
            if x is not layers[0][0][0]:
                torch.mm(error, kernel.T, out=back)

    def repeat(self, part, steps):
        """``part`` so many times; on a GPU as a graph, which is captured before it is first timed."""
        if self.device.type == "cuda":
            if part not in self.graphs:
                part()
                torch.cuda.synchronize()
                self.graphs[part] = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graphs[part]):
                    part()
            part = self.graphs[part].replay
        for _ in range(steps):
            part()
        self.sync()

    def sync(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()
