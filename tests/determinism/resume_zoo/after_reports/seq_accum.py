"""GRU on a synthetic sequence task; several micro-batches per update, checkpoints by update count."""
import os

import torch
from torch import nn

torch.set_num_threads(1)

cfg = dict(seed=1, max_epoch=4, batch=16, update_freq=4, save_interval_updates=9, lr=3e-3, clip=1.0,
           save_dir="checkpoints")


def make_data(n=1200, length=20):
    g = torch.Generator().manual_seed(cfg["seed"])
    x = torch.randint(0, 8, (n, length), generator=g)
    y = (x[:, ::2].sum(1) + x[:, -1]) % 4
    return x, y


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(8, 24)
        self.rnn = nn.GRU(24, 48, batch_first=True)
        self.out = nn.Linear(48, 4)

    def forward(self, x):
        _, h = self.rnn(self.emb(x))
        return self.out(h[-1])


class EpochIterator:
    """Shuffled batches grouped into updates."""

    def __init__(self, n, epoch=0, offset=0):
        self.n, self.epoch, self.offset = n, epoch, offset

    def __iter__(self):
        g = torch.Generator().manual_seed(cfg["seed"] + 31 * self.epoch)
        batches = torch.randperm(self.n, generator=g).split(cfg["batch"])
        groups = [batches[i:i + cfg["update_freq"]] for i in range(0, len(batches), cfg["update_freq"])]
        for group in groups[self.offset:]:
            self.offset += 1
            yield group
        self.epoch, self.offset = self.epoch + 1, 0


def main():
    torch.manual_seed(cfg["seed"])
    os.makedirs(cfg["save_dir"], exist_ok=True)
    x, y = make_data()
    model = Tagger()
    optim = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    sched = torch.optim.lr_scheduler.LambdaLR(optim, lambda u: min(1.0, (u + 1) / 10) * (0.99 ** u))
    itr, updates = EpochIterator(len(x)), 0
    last = os.path.join(cfg["save_dir"], "checkpoint_last.pt")
    if os.path.exists(last):
        s = torch.load(last)
        model.load_state_dict(s["model"])
        optim.load_state_dict(s["optim"])
        sched.load_state_dict(s["sched"])
        itr = EpochIterator(len(x), s["epoch"], s["offset"])
        updates = s["updates"]
    while itr.epoch < cfg["max_epoch"]:
        for group in itr:
            optim.zero_grad()
            for idx in group:
                loss = nn.functional.cross_entropy(model(x[idx]), y[idx]) / len(group)
                loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg["clip"])
            optim.step()
            sched.step()
            updates += 1
            if updates % cfg["save_interval_updates"] == 0:
                torch.save({"model": model.state_dict(), "optim": optim.state_dict(), "sched": sched.state_dict(),
                            "epoch": itr.epoch, "offset": itr.offset, "updates": updates}, last + ".tmp")
                os.replace(last + ".tmp", last)
                print(f"update {updates} epoch {itr.epoch} loss {loss.item() * len(group):.4f}")
    with torch.no_grad():
        print(f"final loss {nn.functional.cross_entropy(model(x), y).item():.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 58
