"""Character GRU language model with step based checkpoints, a symlink to the newest one and pruning."""

import glob
import math
import os
import random
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import TensorDataset

SEED = 404
MAX_STEPS = 170
SAVE_EVERY = 20
KEEP = 3
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

order = torch.Generator().manual_seed(SEED)
n_batches = len(train_set) // BATCH
print(f"{len(text)} chars, vocab {len(chars)}, {n_batches} batches per epoch")


@torch.no_grad()
def evaluate():
    model.eval()
    x, y = val_set.tensors
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
    model.train()
    return loss


def save_checkpoint():
    os.makedirs(CKPT_DIR, exist_ok=True)
    name = f"step_{state['step']:05d}.pt"
    path = os.path.join(CKPT_DIR, name)
    torch.save(
        {
            "state": state,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "order": order.get_state(),
            "torch_rng": torch.get_rng_state(),
            "saved_at": time.time(),
        },
        path + ".tmp",
    )
    os.replace(path + ".tmp", path)
    link = os.path.join(CKPT_DIR, "latest")
    if os.path.lexists(link + ".tmp"):
        os.remove(link + ".tmp")
    os.symlink(name, link + ".tmp")
    os.replace(link + ".tmp", link)
    for old in sorted(glob.glob(os.path.join(CKPT_DIR, "step_*.pt")))[:-KEEP]:
        os.remove(old)
    print(f"[{time.strftime('%H:%M:%S')}] saved {path}", flush=True)


state = {"step": 0, "epoch": 0, "cursor": 0, "perm": torch.randperm(len(train_set), generator=order), "losses": []}
latest = os.path.join(CKPT_DIR, "latest")
if os.path.exists(latest):
    ckpt = torch.load(latest)
    model.load_state_dict(ckpt["model"])
    optimizer.load_state_dict(ckpt["optimizer"])
    scheduler.load_state_dict(ckpt["scheduler"])
    order.set_state(ckpt["order"])
    torch.set_rng_state(ckpt["torch_rng"])
    state = ckpt["state"]
    print(f"resuming from {os.readlink(latest)}, epoch {state['epoch']} batch {state['cursor']}", flush=True)

model.train()
t0 = time.time()
while state["step"] < MAX_STEPS:
    if state["cursor"] == n_batches:
        state["epoch"] += 1
        state["cursor"] = 0
        state["perm"] = torch.randperm(len(train_set), generator=order)
    rows = state["perm"][state["cursor"] * BATCH : (state["cursor"] + 1) * BATCH]
    x, y = (t[rows] for t in train_set.tensors)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    state["cursor"] += 1
    state["step"] += 1
    state["losses"].append(loss.item())
    if state["step"] % 10 == 0:
        print(
            f"step {state['step']:4d} epoch {state['epoch']} loss {loss.item():.6f} lr {scheduler.get_last_lr()[0]:.2e}"
        )
    if state["step"] % SAVE_EVERY == 0:
        save_checkpoint()

val = evaluate()
torch.save(model.state_dict(), "model_final.pt")
print(f"done in {time.time() - t0:.1f}s")
print(
    f"FINAL val_loss={val:.9f} mean_loss={sum(state['losses']) / len(state['losses']):.9f} steps={len(state['losses'])}"
)

# cause: none
# loaded: 0
