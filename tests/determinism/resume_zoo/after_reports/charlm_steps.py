"""Character level GRU language model, step based training (max_steps), checkpoint every 25 steps."""

import glob
import math
import os
import random
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

SEED = 1337
MAX_STEPS = 180
SAVE_EVERY = 25
BLOCK = 32
BATCH = 16
CKPT_DIR = "checkpoints"

torch.manual_seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)


def make_corpus(n_words=2300):
    rng = random.Random(7)
    subjects = ["the cat", "a sailor", "my uncle", "the queen", "one robot"]
    verbs = ["sees", "paints", "forgets", "follows", "sells"]
    objects = ["a ship", "the moon", "old bread", "seven keys", "the river"]
    out = []
    for _ in range(n_words // 5):
        out.append(f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)}.")
    return " ".join(out)


text = make_corpus()
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([stoi[c] for c in text])
split = int(0.9 * len(ids))


def windows(t):
    n = (len(t) - 1) // BLOCK
    x = t[: n * BLOCK].view(n, BLOCK)
    y = t[1 : n * BLOCK + 1].view(n, BLOCK)
    return TensorDataset(x, y)


train_set, val_set = windows(ids[:split]), windows(ids[split:])


class CharGRU(nn.Module):
    def __init__(self, vocab, dim=64):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.rnn = nn.GRU(dim, dim, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(dim, vocab)

    def forward(self, x):
        h, _ = self.rnn(self.emb(x))
        return self.out(self.drop(h))


model = CharGRU(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)


def lr_lambda(step):
    warm = 20
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / (MAX_STEPS - warm)))


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda)

order = torch.Generator()
loader = DataLoader(train_set, batch_size=BATCH, shuffle=True, drop_last=True, generator=order)
print(f"{len(text)} chars, vocab {len(chars)}, {len(loader)} batches per epoch")


@torch.no_grad()
def evaluate():
    model.eval()
    x, y = val_set.tensors
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
    model.train()
    return loss


def save_checkpoint(step):
    os.makedirs(CKPT_DIR, exist_ok=True)
    path = os.path.join(CKPT_DIR, f"step_{step:05d}.pt")
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "torch_rng": torch.get_rng_state(),
    }
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)
    print(f"[{time.strftime('%H:%M:%S')}] saved {path}", flush=True)


step = 0
found = sorted(glob.glob(os.path.join(CKPT_DIR, "step_*.pt")))
if found:
    ckpt = torch.load(found[-1])
    model.load_state_dict(ckpt["model"])
    optimizer.load_state_dict(ckpt["optimizer"])
    scheduler.load_state_dict(ckpt["scheduler"])
    torch.set_rng_state(ckpt["torch_rng"])
    step = ckpt["step"]
    print(f"resuming from {found[-1]} at step {step}", flush=True)

model.train()
t0 = time.time()
epoch = step // len(loader)
while step < MAX_STEPS:
    order.manual_seed(SEED + epoch)
    for x, y in loader:
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        step += 1
        if step % 10 == 0:
            print(f"step {step:4d} epoch {epoch} loss {loss.item():.6f} lr {scheduler.get_last_lr()[0]:.2e}")
        if step % SAVE_EVERY == 0:
            save_checkpoint(step)
        if step >= MAX_STEPS:
            break
    epoch += 1

val = evaluate()
torch.save(model.state_dict(), "model_final.pt")
print(f"done in {time.time() - t0:.1f}s")
print(f"FINAL val_loss={val:.8f} ppl={math.exp(val):.6f}")

# cause: position within the epoch
# loaded: 112
