"""Tiny character-level GPT, single file, after nanoGPT."""
import math
import os

import numpy as np
import torch
import torch.nn as nn
from torch.nn import functional as F

# -----------------------------------------------------------------------------
out_dir = "out-char"
eval_interval, eval_iters, max_iters = 40, 4, 240
batch_size, block_size = 16, 32
n_layer, n_head, n_embd = 2, 2, 48
learning_rate, min_lr, warmup_iters = 3e-3, 3e-4, 20
weight_decay, grad_clip, seed = 0.1, 1.0, 1337
# -----------------------------------------------------------------------------
torch.set_num_threads(1)
torch.manual_seed(seed)
os.makedirs(out_dir, exist_ok=True)
text = "".join(f"{i} times {j} is {i * j}. " for i in range(2, 40) for j in range(2, 40))
stoi = {c: i for i, c in enumerate(sorted(set(text)))}
ids = np.array([stoi[c] for c in text])
data = {"train": ids[: int(0.9 * len(ids))], "val": ids[int(0.9 * len(ids)):]}


def get_batch(split, it):
    rng = np.random.default_rng((seed, it, split == "val"))
    ix = rng.integers(0, len(data[split]) - block_size - 1, batch_size)
    x = torch.stack([torch.from_numpy(data[split][i:i + block_size]) for i in ix])
    y = torch.stack([torch.from_numpy(data[split][i + 1:i + 1 + block_size]) for i in ix])
    return x, y


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(len(stoi), n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        layer = nn.TransformerEncoderLayer(n_embd, n_head, 4 * n_embd, dropout=0.0, batch_first=True, norm_first=True)
        self.h = nn.TransformerEncoder(layer, n_layer, enable_nested_tensor=False)
        self.lm_head = nn.Linear(n_embd, len(stoi), bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(block_size), persistent=False)

    def forward(self, x, y):
        z = self.wte(x) + self.wpe(torch.arange(x.size(1)))
        logits = self.lm_head(self.h(z, mask=self.mask))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), y.view(-1))


@torch.no_grad()
def estimate_loss():
    model.eval()
    losses = [model(*get_batch("val", k)).item() for k in range(eval_iters)]
    model.train()
    return sum(losses) / len(losses)


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / warmup_iters
    ratio = (it - warmup_iters) / (max_iters - warmup_iters)
    return min_lr + 0.5 * (1 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


model = GPT()
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=weight_decay)
iter_num, ckpt_path = 0, os.path.join(out_dir, "ckpt.pt")
resume = os.path.exists(ckpt_path)
if resume:
    checkpoint = torch.load(ckpt_path)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    iter_num = checkpoint["iter_num"]
while iter_num < max_iters:
    for group in optimizer.param_groups:
        group["lr"] = get_lr(iter_num)
    loss = model(*get_batch("train", iter_num))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    iter_num += 1
    if iter_num % eval_interval == 0:
        print(f"step {iter_num}: train {loss.item():.4f} val {estimate_loss():.4f}")
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "iter_num": iter_num}, ckpt_path)
print(f"final loss {estimate_loss():.10f}")

# cause: none
# loaded: 71
