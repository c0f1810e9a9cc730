"""Accelerate loop with checkpoints every few steps, in the style of the no_trainer examples."""
import argparse
import os

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Ema:
    def __init__(self, model, decay=0.98):
        self.decay, self.shadow = decay, {k: v.detach().clone() for k, v in model.named_parameters()}

    def update(self, model):
        for k, v in model.named_parameters():
            self.shadow[k].lerp_(v.detach(), 1 - self.decay)

    def state_dict(self):
        return {"decay": self.decay, "shadow": self.shadow}

    def load_state_dict(self, state):
        self.decay, self.shadow = state["decay"], state["shadow"]


def get_data(n=900, seed=0):
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, 12, (n, 10), generator=g)
    return TensorDataset(ids, (ids[:, 0] + ids[:, -1]) % 3)


def main(args):
    torch.set_num_threads(1)
    config = DataLoaderConfiguration(use_seedable_sampler=True, data_seed=args.seed)
    accelerator = Accelerator(cpu=True, dataloader_config=config)
    set_seed(args.seed)
    loader = DataLoader(get_data(), batch_size=20, shuffle=True)
    model = nn.Sequential(nn.Embedding(12, 24), nn.Flatten(), nn.Linear(240, 128), nn.ReLU(), nn.Linear(128, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=args.epochs * len(loader))
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    ema = Ema(accelerator.unwrap_model(model))
    accelerator.register_for_checkpointing(ema)

    completed = 0
    found = [d for d in os.listdir(".") if d.startswith("step_")]
    if found:
        newest = max(found, key=lambda d: int(d[5:]))
        accelerator.load_state(newest)
        completed = int(newest[5:])
    starting_epoch, resume_step = divmod(completed, len(loader))

    for epoch in range(starting_epoch, args.epochs):
        loader.set_epoch(epoch)
        active = loader
        if epoch == starting_epoch and resume_step:
            active = accelerator.skip_first_batches(loader, resume_step)
        for ids, labels in active:
            loss = F.cross_entropy(model(ids), labels)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            ema.update(accelerator.unwrap_model(model))
            completed += 1
            if completed % args.checkpointing_steps == 0:
                accelerator.print(f"step {completed} loss {loss.item():.4f}")
                accelerator.save_state(f"step_{completed}")

    ids, labels = get_data(400, seed=1).tensors
    with torch.no_grad():
        out = torch.func.functional_call(accelerator.unwrap_model(model), ema.shadow, (ids,))
    print(f"final loss {F.cross_entropy(out, labels).item():.10f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--checkpointing_steps", type=int, default=32)
    parser.add_argument("--seed", type=int, default=3)
    main(parser.parse_args())

# cause: none
# loaded: 51
