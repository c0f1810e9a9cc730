"""Character-level GRU on generated text. Checkpoints fall inside the epochs, every SAVE_STEPS micro-batches."""
import os
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

torch.set_num_threads(1)
SEED = 99
EPOCHS = 5
ACCUM = 4
SAVE_STEPS = 25
CKPT = "stream.pt"
WORDS = "the cat sat on a mat while some dog ran past every small tree near our old red house".split()


def make_text(n=7000):
    rng = np.random.default_rng(0)
    trans = rng.dirichlet(np.full(len(WORDS), 0.25), size=len(WORDS))
    w, out = 0, []
    for _ in range(n):
        w = rng.choice(len(WORDS), p=trans[w])
        out.append(WORDS[w])
    return " ".join(out)


class Windows(Dataset):
    def __init__(self, ids, length=32):
        self.ids, self.length = ids, length

    def __len__(self):
        return (len(self.ids) - 1) // self.length

    def __getitem__(self, i):
        s = self.ids[i * self.length:i * self.length + self.length + 1]
        return s[:-1], s[1:]


class PositionSampler(Sampler):
    """Remembers its epoch and how many samples have been consumed."""

    def __init__(self, n, seed):
        self.n, self.seed, self.epoch, self.used = n, seed, 0, 0

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed * 1000 + self.epoch)
        return iter(torch.randperm(self.n, generator=g).tolist()[self.used:])

    def __len__(self):
        return self.n - self.used

    def advance(self, k):
        self.used += k

    def next_epoch(self):
        self.epoch, self.used = self.epoch + 1, 0


class CharGRU(nn.Module):
    def __init__(self, vocab, d=48):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.gru = nn.GRU(d, d, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(d, vocab)

    def forward(self, x):
        return self.head(self.drop(self.gru(self.emb(x))[0]))


def main():
    torch.manual_seed(SEED)
    text = make_text()
    chars = sorted(set(text))
    ids = torch.tensor([chars.index(c) for c in text])
    cut = int(len(ids) * 0.9)
    train, held = Windows(ids[:cut]), Windows(ids[cut:])
    model = CharGRU(len(chars))
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3)
    sampler = PositionSampler(len(train), SEED)
    total = EPOCHS * (-(-len(train) // 8)) // ACCUM
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 8e-3, total_steps=total + EPOCHS + 1)
    micro, pending, smooth = 0, 0, None

    if os.path.exists(CKPT):
        st = torch.load(CKPT, weights_only=False)
        model.load_state_dict(st["model"])
        opt.load_state_dict(st["opt"])
        sched.load_state_dict(st["sched"])
        sampler.epoch, sampler.used = st["sampler"]
        micro, pending, smooth = st["micro"], st["pending"], st["smooth"]
        for p, g in zip(model.parameters(), st["grads"]):
            p.grad = None if g is None else g.clone()
        torch.set_rng_state(st["rng"])
        print(f"{time.ctime()} continuing at micro-batch {micro} (epoch {sampler.epoch})", flush=True)

    while sampler.epoch < EPOCHS:
        loader = DataLoader(train, batch_size=8, sampler=sampler, num_workers=1,
                            generator=torch.Generator().manual_seed(sampler.epoch))
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
            (loss / ACCUM).backward()
            sampler.advance(len(x))
            micro, pending = micro + 1, pending + 1
            smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
            if pending == ACCUM:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                opt.step()
                sched.step()
                opt.zero_grad(set_to_none=True)
                pending = 0
            if micro % SAVE_STEPS == 0:
                print(f"micro {micro} epoch {sampler.epoch} loss {loss.item():.6f} smooth {smooth:.6f}", flush=True)
                torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict(),
                            "sampler": (sampler.epoch, sampler.used), "micro": micro, "pending": pending,
                            "smooth": smooth, "grads": [p.grad for p in model.parameters()],
                            "rng": torch.get_rng_state()}, CKPT + "~")
                os.replace(CKPT + "~", CKPT)
        sampler.next_epoch()

    model.eval()
    with torch.no_grad():
        x, y = next(iter(DataLoader(held, batch_size=len(held))))
        val = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
    norm = sum(p.double().pow(2).sum().item() for p in model.parameters())
    print(f"FINAL micro {micro} smooth {smooth!r} held {val!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
