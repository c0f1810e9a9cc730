# Predict politics (conservative, moderate, liberal) from sex, age, state and income.
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class PeopleDataset(Dataset):
    def __init__(self, file):
        rows = np.loadtxt(file, delimiter="\t", comments="#", dtype=np.float32)
        self.x = torch.tensor(rows[:, 0:6])
        self.y = torch.tensor(rows[:, 6], dtype=torch.int64)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        return self.x[k], self.y[k]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hid1 = torch.nn.Linear(6, 10)  # 6-(10-10)-3
        self.hid2 = torch.nn.Linear(10, 10)
        self.out = torch.nn.Linear(10, 3)
        for layer in (self.hid1, self.hid2, self.out):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x):
        z = torch.tanh(self.hid1(x))
        z = torch.tanh(self.hid2(z))
        return torch.log_softmax(self.out(z), dim=1)


torch.manual_seed(1)
data = PeopleDataset("people_train.txt")
loader = DataLoader(data, batch_size=10, shuffle=True)
net = Net()
loss_function = torch.nn.NLLLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

for epoch in range(1000):
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    output = net(data.x)
    accuracy = (output.argmax(dim=1) == data.y).float().mean().item()
    wanted = torch.nn.functional.one_hot(data.y, 3).float()
    squared_error = ((output.exp() - wanted) ** 2).mean().item()
print(f"acc = {accuracy:.4f} | loss = {squared_error:.4f}")
