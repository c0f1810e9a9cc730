"""Character bigram/GRU language model with a tensorboard-like event writer."""

import json
import os
import pickle
import socket
import struct
import time
import zlib
from pathlib import Path

import torch
import torch.nn as nn

TEXT = (
    """the quick brown fox jumps over the lazy dog. pack my box with five dozen liquor jugs.
how vexingly quick daft zebras jump! sphinx of black quartz, judge my vow.
"""
    * 12
)


class EventWriter:
    """record = length | crc | payload, payload is json with wall_time"""

    def __init__(self, logdir):
        self.dir = Path(logdir)
        self.dir.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.0"
        self.fh = open(self.dir / name, "wb")

    def add_scalar(self, tag, value, step):
        rec = json.dumps({"wall_time": time.time(), "step": step, "tag": tag, "value": value}).encode()
        self.fh.write(struct.pack("<QI", len(rec), zlib.crc32(rec)) + rec)

    def close(self):
        self.fh.close()


class CharRNN(nn.Module):
    def __init__(self, n, d=24):
        super().__init__()
        self.emb = nn.Embedding(n, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.head = nn.Linear(d, n)

    def forward(self, x, h=None):
        z, h = self.rnn(self.emb(x), h)
        return self.head(z), h


@torch.no_grad()
def sample(model, itos, start, n, gen):
    h, idx, out = None, torch.tensor([[start]]), []
    for _ in range(n):
        logits, h = model(idx, h)
        idx = torch.multinomial(torch.softmax(logits[:, -1] / 0.8, -1), 1, generator=gen)
        out.append(itos[idx.item()])
    return "".join(out)


def main():
    torch.manual_seed(1337)
    chars = sorted(set(TEXT))
    stoi = {c: i for i, c in enumerate(chars)}
    data = torch.tensor([stoi[c] for c in TEXT])
    model = CharRNN(len(chars))
    print(
        "%d parameters, device cpu, %d threads" % (sum(p.numel() for p in model.parameters()), torch.get_num_threads())
    )
    opt = torch.optim.Adam(model.parameters(), 5e-3)
    writer = EventWriter("tb/" + time.strftime("%b%d_%H-%M-%S_") + socket.gethostname())
    T, B = 32, 16
    toks, t_last, best = 0, time.time(), float("inf")
    for step in range(1, 81):
        ix = torch.randint(len(data) - T - 1, (B,))
        x = torch.stack([data[i : i + T] for i in ix])
        y = torch.stack([data[i + 1 : i + T + 1] for i in ix])
        logits, _ = model(x)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
        opt.zero_grad(set_to_none=True)
        loss.backward()
        gn = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        toks += x.numel()
        best = min(best, loss.item())
        writer.add_scalar("loss/train", loss.item(), step)
        writer.add_scalar("perf/step_ms", (time.time() - t_last) * 1e3 / 10, step)
        if step % 10 == 0:
            d = time.time() - t_last
            print(
                f"iter {step:3d} | loss {loss.item():.4f} | gnorm {gn:.3f} | {d / 10 * 1e3:.2f}ms/iter | "
                f"tok/sec {toks / d:,.0f} | lr 5.0e-03"
            )
            toks, t_last = 0, time.time()
    writer.close()
    text = sample(model, chars, stoi["t"], 120, torch.Generator().manual_seed(5))
    print("-" * 20 + "\n" + text + "\n" + "-" * 20)
    with open("ckpt.pkl", "wb") as f:
        pickle.dump(
            {
                "weights": {k: v.numpy() for k, v in model.state_dict().items()},
                "vocab": chars,
                "best": best,
                "time": time.ctime(),
                "iter_num": 80,
            },
            f,
        )


if __name__ == "__main__":
    main()

# cause: none
