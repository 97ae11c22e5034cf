"""Programs with one planted mistake each, climbed through the gate in one process: prints which rungs failed, as JSON.

Each mistake is a replacement in the text of `impls/matched/pytorch.py`, so that everything else is as it should be.
"""

import json
import sys
from pathlib import Path

from bench import equivalence, fetch, mnist, workloads

OPTIMISER = "self.optimiser = optimiser(self.model.parameters(), lr=workload.optimiser.learning_rate)"
CROSS_ENTROPY = "return nn.functional.cross_entropy(logits, labels)"
FORWARD = "self.loss(self.model(self.x[batch]), self.y[batch])"
SCALED = "self.x = torch.from_numpy(self.workload.scale(data.x_train))"
PREDICTED = "return torch.cat(logits).cpu().numpy()"


def adam(options: str, kind: str = "Adam") -> tuple[str, str]:
    """The workload's Adam replaced by one with other options; SGD stays as it is."""
    made = f"torch.optim.{kind}(self.model.parameters(), lr=workload.optimiser.learning_rate, {options})"
    return OPTIMISER, f"{OPTIMISER}\n        if optimiser is torch.optim.Adam:\n            self.optimiser = {made}"


MISTAKES = {
    "epsilon 1e-7": adam("eps=1e-7"),
    "epsilon 0": adam("eps=0"),
    "amsgrad": adam("amsgrad=True"),
    "beta 0.9991": adam("betas=(0.9, 0.9991)"),
    "weight decay": adam("weight_decay=1e-4"),
    "AdamW": adam("weight_decay=0.01", "AdamW"),
    "RAdam": adam("eps=1e-8", "RAdam"),
    "epsilon form": ('adam = ("pytorch", 1e-8)', 'adam = ("keras", 1e-8)'),
    "learning rate 1 % off": (OPTIMISER, OPTIMISER.replace("learning_rate)", "learning_rate * 1.01)")),
    "new optimiser every epoch": (
        "self.model.train()\n",
        "self.model.train()\n        self.optimiser = type(self.optimiser)(self.model.parameters(), "
        "lr=self.workload.optimiser.learning_rate)\n",
    ),
    "missing bias": ("linear.bias.copy_(torch.from_numpy(bias))", "linear.bias.zero_()"),
    "frozen bias": (".to(self.device)\n        self.loss", ".to(self.device)\n        self.dense[0].bias.requires_grad = False\n        self.loss"),
    "softmax twice": (CROSS_ENTROPY, CROSS_ENTROPY.replace("logits,", "logits.softmax(1),")),
    "sum instead of mean": (CROSS_ENTROPY, CROSS_ENTROPY.replace("labels)", "labels, reduction='sum')")),
    "label smoothing": (CROSS_ENTROPY, CROSS_ENTROPY.replace("labels)", "labels, label_smoothing=0.001)")),
    "loss doubled": ("loss.backward()", "(2 * loss).backward()"),
    "last batch dropped": (".split(self.workload.batch_size):", ".split(self.workload.batch_size)[:-1]:"),
    "batch one too small": (".split(self.workload.batch_size):", ".split(self.workload.batch_size - 1):"),
    "half an epoch": ("torch.from_numpy(order)", "torch.from_numpy(order[: len(order) // 2])"),
    "order ignored": ("torch.from_numpy(order)", "torch.arange(len(order))"),
    "images shuffled without labels": ("self.y[batch])", "self.y[batch.flip(0)])"),
    "layers swapped": ("strict=True):\n                linear.weight.copy_(torch.from_numpy(kernel.T))", "strict=True):\n                linear.weight.copy_(torch.from_numpy(kernel.T).flip(0))"),
    "classes swapped": (PREDICTED, PREDICTED.replace("logits)", "logits).flip(1)")),
    "bfloat16 training": (FORWARD, FORWARD.replace("self.model(self.x[batch])", "torch.autocast('cpu', torch.bfloat16)(self.model)(self.x[batch]).float()")),
    "bfloat16 prediction": ("[self.model(x) for x", "[torch.autocast('cpu', torch.bfloat16)(self.model)(x).float() for x"),
    "float16 images": (SCALED, SCALED + ".half().float()"),
    "scaling 0.01 % off": (SCALED, SCALED.replace("data.x_train)", "data.x_train) * 1.0001")),
    "gradients not cleared": ("self.optimiser.zero_grad()", "pass"),
    "gradients clipped": ("self.optimiser.step()", "nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)\n            self.optimiser.step()"),
    "one unit frozen": ("loss.backward()", "loss.backward()\n            self.dense[0].weight.grad[5] = 0"),
    "leaky relu": ("nn.ReLU,", "lambda: nn.LeakyReLU(1e-4),"),
    "evaluation in training mode": ("self.model = nn.Sequential(*modules)", "modules.insert(2, nn.Dropout(0.01))\n        self.model = nn.Sequential(*modules)"),
    "prediction kept": (PREDICTED, "self.kept = getattr(self, 'kept', torch.cat(logits).cpu().numpy())\n        return self.kept"),
    "test images in another order": ("self.x_test = torch.from_numpy(self.workload.scale(data.x_test))", "self.x_test = torch.from_numpy(self.workload.scale(data.x_test)).flip(0)"),
    "loss of the last batch": ("return total.item() / len(order)", "return loss.item()"),
    "loss not a number": ("return total.item() / len(order)", "return float('nan')"),
}  # fmt: skip


def main() -> None:
    """Every mistake, and the program without any for a number of seeds, against document 1's network."""
    right = Path("impls/matched/pytorch.py").read_text(encoding="utf-8")
    data, workload = mnist.load(fetch.find()), workloads.load()["mlp-128-64"]
    answers = {}
    for name, (old, new) in MISTAKES.items():
        assert old in right, f"{name}: the text to replace is gone"
        answers[name] = failed(right.replace(old, new), workload, data, seed=1)
    for seed in range(int(sys.argv[1])):
        answers[f"seed {seed}"] = failed(right, workload, data, seed)
    print(json.dumps(answers))


def failed(source: str, workload, data, seed: int) -> list[str]:
    """The rungs that a program does not pass."""
    names: dict = {}
    exec(compile(source, "planted", "exec"), names)
    make = names["Implementation"]
    return [rung.name for rung in equivalence.climb(make, make.adam, workload, "cpu", data, seed) if not rung.passed]


if __name__ == "__main__":
    main()
