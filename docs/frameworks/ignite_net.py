"""Ignite: engines that train and evaluate."""

import torch
from ignite.engine import create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import Accuracy, Loss
from ignite.utils import manual_seed
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

manual_seed(42)  # seed site
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = torch.nn.CrossEntropyLoss()

trainer = create_supervised_trainer(net, optimizer, criterion)
evaluator = create_supervised_evaluator(net, metrics={"acc": Accuracy(), "loss": Loss(criterion)})
trainer.run(DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=64, shuffle=True), max_epochs=3)
evaluator.run(DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=397))
print(f"val_loss = {evaluator.state.metrics['loss']:.6f} | val_acc = {evaluator.state.metrics['acc']:.4f}")
