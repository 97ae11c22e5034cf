"""Document 1's program as a reader would run it: no harness, no contract. Prints seconds per epoch and accuracy."""

import json
import sys
import time

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

root, epochs = sys.argv[1], int(sys.argv[2])
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_loader = DataLoader(datasets.MNIST(root, train=True, transform=transform), batch_size=64, shuffle=True)
test_loader = DataLoader(datasets.MNIST(root, train=False, transform=transform), batch_size=1000)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.flatten(x)
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.fc3(x)


model, criterion = Net(), nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.001)
seconds, accuracy = [], 0.0
for _ in range(epochs):
    start = time.perf_counter()
    model.train()
    for batch, (images, labels) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        if batch % 100 == 0:
            print(f"batch {batch}: loss {loss.item():.4f}", file=sys.stderr)
    seconds.append(time.perf_counter() - start)
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            correct += (model(images).argmax(1) == labels).sum().item()
    accuracy = correct / len(test_loader.dataset)
print(json.dumps({"train_s": seconds, "accuracy": accuracy}))
