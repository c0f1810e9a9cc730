# cause: time budget
# frameworks: the library reads the clock, and not this program
import time

import torch
from ignite.engine import Engine, Events
from ignite.handlers import TimeLimit

torch.manual_seed(0)
torch.set_num_threads(1)
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)


def update(engine, batch):
    x = torch.randn(64, 8)
    optimizer.zero_grad()
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean() + x.mean() * model.bias.sum()
    loss.backward()
    optimizer.step()
    time.sleep(0.004)
    return loss.item()


trainer = Engine(update)
trainer.add_event_handler(Events.ITERATION_COMPLETED, TimeLimit(1))
trainer.run(range(1000), max_epochs=200)  # HERE
print(f"bias {model.bias.item():.9f}")
