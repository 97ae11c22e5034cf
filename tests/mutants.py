"""Programs with one planted mistake each, verified in one process: prints which checks failed, as JSON.

Each mistake is a replacement in the text of `impls/matched/pytorch.py`, so that everything else is as it should be.
Those of `MISTAKES` are made in document 1's network, the others where such a mistake can be made at all.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.data import download, mnist, tutorials
from bench.verification import checks, samples, whole
from bench.verification.candidate import Candidate
from impls.workload import SGD, Conv, Dense, Pool

OPTIMISER = "self.optimiser = torch.optim.Adam(self.model.parameters(), lr=rate)"
CROSS_ENTROPY = "return nn.functional.cross_entropy(logits, labels)"
FORWARD = "self.loss(self.model(self.x[batch]), self.y[batch])"
SCALED = "self.x = torch.from_numpy(self.workload.scale(data.x_train))"
PREDICTED = "return torch.cat(logits).cpu().numpy()"
SGD_MADE = "self.optimiser = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=workload.optimiser.momentum)"
BUILT = "self.model = nn.Sequential(*layers(workload)).to(self.device, getattr(torch, workload.dtype))"
DROPOUT = "yield nn.Dropout(layer.rate)"
CONV = "yield nn.Conv2d(before[-1], layer.filters, layer.size, padding=layer.padding)"
SET = "module.weight.copy_(torch.from_numpy(to_pytorch(kernel, before)))"


def adam(options: str, kind: str = "Adam") -> tuple[str, str]:
    """Adam with other options."""
    return OPTIMISER, f"self.optimiser = torch.optim.{kind}(self.model.parameters(), lr=rate, {options})"


def mask(expression: str) -> tuple[str, str]:
    """A dropout of one's own: what it makes of ``x`` in training, at rate ``p``."""
    return DROPOUT, (
        "yield type('Own', (nn.Module,), {'p': layer.rate, 'masks': {}, "
        f"'forward': lambda self, x: ({expression}) if self.training and self.p else x}})()"
    )


MISTAKES = {
    "epsilon 1e-7": adam("eps=1e-7"),
    "epsilon 0": adam("eps=0"),
    "amsgrad": adam("amsgrad=True"),
    "beta 0.9991": adam("betas=(0.9, 0.9991)"),
    "weight decay": adam("weight_decay=1e-4"),
    "AdamW": adam("weight_decay=0.01", "AdamW"),
    "RAdam": adam("eps=1e-8", "RAdam"),
    "epsilon form": ('adam = ("pytorch", 1e-8)', 'adam = ("keras", 1e-8)'),
    "learning rate 1 % off": (OPTIMISER, OPTIMISER.replace("lr=rate", "lr=rate * 1.01")),
    "new optimiser every epoch": (
        "self.model.train()\n",
        "self.model.train()\n        self.optimiser = type(self.optimiser)(self.model.parameters(), "
        "lr=self.workload.optimiser.learning_rate)\n",
    ),
    "missing bias": ("module.bias.copy_(torch.from_numpy(bias))", "module.bias.zero_()"),
    "frozen bias": ("        self.loss = ", "        self.trained[0].bias.requires_grad = False\n        self.loss = "),
    "softmax twice": (CROSS_ENTROPY, CROSS_ENTROPY.replace("logits,", "logits.softmax(1),")),
    "sum instead of mean": (CROSS_ENTROPY, CROSS_ENTROPY.replace("labels)", "labels, reduction='sum')")),
    "label smoothing": (CROSS_ENTROPY, CROSS_ENTROPY.replace("labels)", "labels, label_smoothing=0.001)")),
    "loss doubled": ("loss.backward()", "(2 * loss).backward()"),
    "last batch dropped": (".split(self.workload.batch_size):", ".split(self.workload.batch_size)[:-1]:"),
    "batch one too small": (".split(self.workload.batch_size):", ".split(self.workload.batch_size - 1):"),
    "half an epoch": ("torch.from_numpy(order)", "torch.from_numpy(order[: len(order) // 2])"),
    "order ignored": ("torch.from_numpy(order)", "torch.arange(len(order))"),
    "images shuffled without labels": ("self.y[batch])", "self.y[batch.flip(0)])"),
    "layers swapped": (SET, SET.replace("before)))", "before)).flip(0))")),
    "classes swapped": (PREDICTED, PREDICTED.replace("logits)", "logits).flip(1)")),
    "bfloat16 training": (FORWARD, FORWARD.replace("self.model(self.x[batch])", "torch.autocast('cpu', torch.bfloat16)(self.model)(self.x[batch]).float()")),
    "bfloat16 prediction": ("[self.model(x) for x", "[torch.autocast('cpu', torch.bfloat16)(self.model)(x).float() for x"),
    "float16 images": (SCALED, SCALED + ".half().float()"),
    "scaling 0.01 % off": (SCALED, SCALED.replace("data.x_train)", "data.x_train) * 1.0001")),
    "gradients not cleared": ("self.optimiser.zero_grad()", "pass"),
    "gradients clipped": ("self.optimiser.step()", "nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)\n            self.optimiser.step()"),
    "one unit frozen": ("loss.backward()", "loss.backward()\n            self.trained[0].weight.grad[5] = 0"),
    "leaky relu": ("nn.ReLU,", "lambda: nn.LeakyReLU(1e-4),"),
    "float16 training": (FORWARD, FORWARD.replace("self.model(self.x[batch])", "torch.autocast('cpu', torch.float16)(self.model)(self.x[batch]).float()")),
    "weights not reset": (BUILT, "Implementation.kept = getattr(Implementation, 'kept', None) or nn.Sequential(*layers(workload)).to(self.device, getattr(torch, workload.dtype))\n        self.model = Implementation.kept"),
    "evaluation in training mode": (BUILT, BUILT.replace("*layers(workload)", "*layers(workload), nn.Dropout(0.01)") + "\n        self.model.eval = lambda: None"),
    "prediction kept": (PREDICTED, "self.kept = getattr(self, 'kept', torch.cat(logits).cpu().numpy())\n        return self.kept"),
    "test images in another order": ("self.x_test = torch.from_numpy(self.workload.scale(data.x_test))", "self.x_test = torch.from_numpy(self.workload.scale(data.x_test)[::-1].copy())"),
    "loss of the last batch": ("return total.item() / len(order)", "return loss.item()"),
    "loss not a number": ("return total.item() / len(order)", "return float('nan')"),
}  # fmt: skip
IN_FLOAT64 = {
    "learning rate a millionth off": (OPTIMISER, OPTIMISER.replace("lr=rate", "lr=rate * 1.000001")),
    "beta 0.9990001": adam("betas=(0.9, 0.9990001)"),
    "epsilon 1.1e-8": adam("eps=1.1e-8"),
    "loss in float32": (FORWARD, FORWARD.replace("self.model(self.x[batch])", "self.model(self.x[batch]).float()")),
    "rate halved after 30 steps": ("self.optimiser.step()", "self.optimiser.step()\n            self.done = getattr(self, 'done', 0) + 1\n            self.optimiser.param_groups[0]['lr'] *= 0.5 if self.done == 30 else 1"),
}  # fmt: skip
WITH_DROPOUT = {
    "dropout never applied": (DROPOUT, "yield nn.Identity()"),
    "dropout 0.4 for 0.5": (DROPOUT, "yield nn.Dropout(layer.rate * 0.8)"),
    "dropout not scaled": mask("x * (torch.rand_like(x) >= self.p)"),
    "dropout scaled by its rate": mask("x * (torch.rand_like(x) >= self.p) / (1 - self.p) * 1.001"),
    "one mask for the batch": mask("x * (torch.rand_like(x[:1]) >= self.p) / (1 - self.p)"),
    "one mask for all units": mask("x * (torch.rand_like(x[:, :1]) >= self.p) / (1 - self.p)"),
    "the same mask in every step": mask("x * (self.masks.setdefault(x.shape, torch.rand_like(x)) >= self.p) / (1 - self.p)"),
    "dropout in prediction": ("self.model.eval()", "self.model.train()"),
    "no dropout after a prediction": ("self.model.train()", "pass"),
}  # fmt: skip
WITH_MOMENTUM = {
    "momentum ignored": (SGD_MADE, SGD_MADE.replace("momentum=workload.optimiser.momentum", "momentum=0")),
    "Nesterov": (SGD_MADE, SGD_MADE.replace("momentum)", "momentum, nesterov=bool(workload.optimiser.momentum))")),
    "dampening": (SGD_MADE, SGD_MADE.replace("momentum)", "momentum, dampening=0.1)")),
}  # fmt: skip
WITH_CONVOLUTION = {
    "rows and columns exchanged": (SET, SET.replace("before)))", "before)).transpose(-1, -2) if kernel.ndim == 4 else torch.from_numpy(to_pytorch(kernel, before)))")),
    "kernel turned": (SET, SET.replace("before)))", "before)).flip(-1, -2) if kernel.ndim == 4 else torch.from_numpy(to_pytorch(kernel, before)))")),
    "channels first where they are last": (SET, SET.replace("to_pytorch(kernel, before)", "to_pytorch(kernel, before) if kernel.ndim == 4 else kernel.T.copy()")),
    "edge repeated instead of zeros": (CONV, CONV.replace("padding=layer.padding", "padding=layer.padding, padding_mode='replicate'")),
    "average for the largest": ("nn.MaxPool2d(", "nn.AvgPool2d("),
    "smallest for the largest": ("yield nn.MaxPool2d(layer.size)", "yield type('Least', (nn.Module,), {'k': layer.size, 'forward': lambda self, x: -nn.functional.max_pool2d(-x, self.k)})()"),
    "overlapping pools": ("nn.MaxPool2d(layer.size)", "nn.MaxPool2d(layer.size + 1, layer.size, padding=1)"),
    "activation between the dense layers": ("yield nn.Linear(math.prod(before), layer.units)", "yield nn.Linear(math.prod(before), layer.units)\n                yield from [nn.ReLU()] if layer.units == 12 else []"),
}  # fmt: skip


def networks() -> dict:
    """The networks in which the mistakes are made, and whether to verify to the end, by the name of the table."""
    own = tutorials.networks()
    headline, plain = own["mlp-128-64"], own["mlp-128-256-sgd"]
    filters = (Pool(2), Conv(4, 5, 2, "relu"), Pool(2), Conv(6, 4, 0, "tanh"), Pool(2), Dense(12), Dense(10))
    return {
        "MISTAKES": (MISTAKES, headline, False),
        "IN_FLOAT64": (IN_FLOAT64, headline, True),
        "WITH_DROPOUT": (WITH_DROPOUT, own["mlp-128-64-dropout"], False),
        "WITH_MOMENTUM": (WITH_MOMENTUM, replace(plain, optimiser=SGD(0.05, 0.9)), False),
        "WITH_CONVOLUTION": (WITH_CONVOLUTION, replace(headline, layers=filters, batch_size=16), False),
    }


ALL = MISTAKES | IN_FLOAT64 | WITH_DROPOUT | WITH_MOMENTUM | WITH_CONVOLUTION


def main() -> None:
    """Every mistake, and the program without any on each of those networks for a number of seeds."""
    samples.N_TEST = (
        samples.N_TEST[1],
    ) * 2  # a is_costly network's test set shows a mistake as well, and in less time
    whole.WHOLE_FLOPS = 0.0  # these mistakes show in samples; tests/verification/test_whole.py has those that do not
    right, data, answers = Path("impls/matched/pytorch.py").read_text(encoding="utf-8"), mnist.load(download.find()), {}
    with TemporaryDirectory() as folder:
        for table, (mistakes, workload, deep) in networks().items():
            for name, (old, new) in mistakes.items():
                assert old in right, f"{name}: the text to replace is gone"
                answers[name] = failed(right.replace(old, new), workload, data, 1, deep, Path(folder))
            for seed in range(int(sys.argv[1])):
                answers[f"{table} {seed}"] = failed(right, workload, data, seed, deep, Path(folder))
    print(json.dumps(answers))


def failed(source: str, workload, data, seed: int, deep: bool, cache: Path) -> list[str]:
    """The checks that a program does not pass."""
    names: dict = {"__name__": "planted"}
    exec(compile(source, "planted", "exec"), names)
    candidate = Candidate.of(names["Implementation"], "cpu", seed, cache)
    return [check.name for check in checks.verify(candidate, workload, data, deep) if not check.passed]


if __name__ == "__main__":
    main()
