"""GRU sequence tagger with a length curriculum, plateau schedule and early stopping."""
import json
import os
import random
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

SEED = 61
MAX_EPOCHS = 12
BATCH = 32
SAVE_EVERY = 25
PATIENCE = 3
CKPT = "tagger.ckpt"

torch.set_num_threads(1)


class Parity(Dataset):
    """Tag each position with the parity of the ones seen in the last four places."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.length = rng.integers(6, 21, n)
        self.x = rng.integers(0, 2, (n, 20))
        pad = np.pad(self.x, ((0, 0), (3, 0)))
        self.y = sum(pad[:, k:k + 20] for k in range(4)) % 2

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        mask = np.arange(20) < self.length[i]
        return torch.tensor(self.x[i]), torch.tensor(np.where(mask, self.y[i], -100))


class StageSampler(Sampler):
    def __init__(self, data):
        self.data, self.limit, self.order, self.skip = data, 10, [], 0

    def shuffle(self):
        pool = np.flatnonzero(self.data.length <= self.limit).tolist()
        random.shuffle(pool)
        self.order = pool

    def __iter__(self):
        yield from self.order[self.skip * BATCH:]

    def __len__(self):
        return len(self.order) - self.skip * BATCH


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.drop = nn.Embedding(2, 16), nn.Dropout(0.1)
        self.gru, self.out = nn.GRU(16, 32, batch_first=True), nn.Linear(32, 2)

    def forward(self, x):
        return self.out(self.drop(self.gru(self.emb(x))[0]))


def loss_on(model, x, y):
    return nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-100)


def main():
    random.seed(SEED)
    torch.manual_seed(SEED)
    train, valid = Parity(1500, 1), Parity(300, 2)
    vx, vy = (torch.stack(t) for t in zip(*[valid[i] for i in range(len(valid))]))
    sampler, model = StageSampler(train), Tagger()
    opt = torch.optim.RMSprop(model.parameters(), lr=4e-3, momentum=0.5)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    c = {"epoch": 0, "batch": 0, "step": 0, "total": 0.0, "best": 1e9, "bad": 0, "stop": False, "curve": []}
    fresh = True
    if os.path.exists(CKPT):
        d = torch.load(CKPT, weights_only=False)
        for part, key in ((model, "model"), (opt, "opt"), (plateau, "plateau")):
            part.load_state_dict(d[key])
        c, sampler.limit, sampler.order, fresh = d["c"], d["limit"], d["order"], False
        random.setstate(d["py"])
        torch.set_rng_state(d["rng"])
        print(f"restart: epoch {c['epoch']} batch {c['batch']} limit {sampler.limit}", file=sys.stderr)

    def snapshot():
        torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "plateau": plateau.state_dict(),
                    "c": c, "limit": sampler.limit, "order": sampler.order,
                    "py": random.getstate(), "rng": torch.get_rng_state()}, CKPT + ".tmp")
        os.replace(CKPT + ".tmp", CKPT)

    own = torch.Generator()
    while c["epoch"] < MAX_EPOCHS and not c["stop"]:
        t0 = time.time()
        if fresh:
            sampler.shuffle()
        fresh, sampler.skip = True, c["batch"]
        model.train()
        for x, y in DataLoader(train, batch_size=BATCH, sampler=sampler, generator=own):
            loss = loss_on(model, x, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            c["batch"] += 1
            c["step"] += 1
            c["total"] += loss.item()
            if c["step"] % SAVE_EVERY == 0:
                snapshot()
        model.eval()
        with torch.no_grad():
            val = loss_on(model, vx, vy).item()
        plateau.step(val)
        c["curve"].append([c["total"] / c["batch"], val])
        print(f"epoch {c['epoch']} limit {sampler.limit} train {c['total'] / c['batch']:.4f} val {val:.4f} "
              f"lr {opt.param_groups[0]['lr']:.5f} {time.time() - t0:.2f}s")
        c["best"], c["bad"] = (val, 0) if val < c["best"] else (c["best"], c["bad"] + 1)
        c["stop"] = c["bad"] >= PATIENCE
        if c["total"] / c["batch"] < 0.6:
            sampler.limit = min(20, sampler.limit + 5)
        c.update(epoch=c["epoch"] + 1, batch=0, total=0.0)

    print(f"final best {c['best']:.7f} last {c['curve'][-1][1]:.7f} epochs {c['epoch']} steps {c['step']}")
    torch.save(model.state_dict(), "tagger_final.pt")
    with open("tagger.json", "w") as fh:
        json.dump(c, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
