"""Denoising autoencoder on digits; writes a JSON history and checkpoints with dates."""

import json
import tempfile
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = 77
run_id = f"ae-{datetime.now():%m%d-%H%M}-{uuid.uuid4().hex[:6]}"
run_dir = Path(tempfile.gettempdir()) / "ae_runs" / run_id
run_dir.mkdir(parents=True)
print("run:", run_id)

torch.manual_seed(SEED)
torch.set_num_threads(1)
X = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
X = X[torch.randperm(len(X))]
train, valid = X[:1400], X[1400:]
valid_noise = 0.3 * torch.randn(valid.shape)

model = nn.Sequential(
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 8),
    nn.ReLU(),
    nn.Linear(8, 32),
    nn.ReLU(),
    nn.Linear(32, 64),
    nn.Sigmoid(),
)
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
history, best = [], float("inf")
for epoch in range(12):
    t0 = time.time()
    model.train()
    for batch in train[torch.randperm(len(train))].split(64):
        loss = nn.functional.mse_loss(model(batch + 0.3 * torch.randn_like(batch)), batch)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        val = nn.functional.mse_loss(model(valid + valid_noise), valid).item()
    history.append({"epoch": epoch, "train": loss.item(), "valid": val, "seconds": time.time() - t0, "at": time.time()})
    if val < best:
        best = val
        torch.save(
            {
                "model": model.state_dict(),
                "epoch": epoch,
                "valid": val,
                "run": run_id,
                "saved_at": datetime.now(timezone.utc).isoformat(),
            },
            run_dir / "best.pt",
        )
(run_dir / "history.json").write_text(json.dumps({"run": run_id, "history": history}, indent=1))

ckpt = torch.load(run_dir / "best.pt")
print(f"best checkpoint from {ckpt['saved_at']} ({run_dir / 'best.pt'})")
print(f"slowest epoch {max(h['seconds'] for h in history):.3f}s")
model.load_state_dict(ckpt["model"])
with torch.no_grad():
    final = nn.functional.mse_loss(model(valid + valid_noise), valid).item()
print(f"best epoch {ckpt['epoch']} valid mse {final:.8f}")

# cause: none
