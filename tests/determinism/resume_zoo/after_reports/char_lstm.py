"""Character LSTM on generated pseudo-sentences, truncated BPTT over parallel streams."""
import json
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 8
EPOCHS = 6
STREAMS = 16
BPTT = 24
SAVE_EVERY = 40
CKPT = "char_lstm.pt"

torch.set_num_threads(1)


def make_text(n_sentences=1700, seed=1):
    r = random.Random(seed)
    subj = ["the cat", "a dog", "my uncle", "the old sailor", "nobody"]
    verb = ["sees", "likes", "paints", "remembers", "buys"]
    obj = ["a red boat", "the moon", "seven apples", "his shadow", "it"]
    out = []
    for _ in range(n_sentences):
        s, v, o = r.choice(subj), r.choice(verb), r.choice(obj)
        out.append(f"{s} {v} {o}" + r.choice([". ", "! ", ", and "]))
    return "".join(out)


class CharLM(nn.Module):
    def __init__(self, vocab, hidden=64):
        super().__init__()
        self.hidden = hidden
        self.emb = nn.Embedding(vocab, 24)
        self.lstm = nn.LSTM(24, hidden)
        self.out = nn.Linear(hidden, vocab)

    def init_hidden(self, n):
        return torch.zeros(1, n, self.hidden), torch.zeros(1, n, self.hidden)

    def forward(self, x, h):
        y, h = self.lstm(F.dropout(self.emb(x), 0.1, self.training), h)
        return self.out(y), h


def streams(ids, n):
    length = len(ids) // n
    return ids[:length * n].view(n, length).t().contiguous()


def evaluate(model, data):
    model.eval()
    h = model.init_hidden(data.size(1))
    total, count = 0.0, 0
    with torch.no_grad():
        for i in range(0, data.size(0) - 1, BPTT):
            n = min(BPTT, data.size(0) - 1 - i)
            logits, h = model(data[i:i + n], h)
            total += F.cross_entropy(logits.flatten(0, 1), data[i + 1:i + 1 + n].flatten(), reduction="sum").item()
            count += n * data.size(1)
    model.train()
    return total / count


def main():
    torch.manual_seed(SEED)
    text = make_text()
    chars = sorted(set(text))
    ids = torch.tensor([chars.index(c) for c in text])
    cut = int(len(ids) * 0.9)
    train, valid = streams(ids[:cut], STREAMS), streams(ids[cut:], 4)
    model = CharLM(len(chars))
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    epoch, pos, step, avg, valid_log = 0, 0, 0, None, []

    if os.path.exists(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["opt"])
        torch.set_rng_state(ck["rng"])
        epoch, pos, step = ck["epoch"], ck["pos"], ck["step"]
        avg, valid_log = ck["avg"], ck["valid_log"]
        print(f"resume: epoch {epoch} position {pos} step {step}")

    model.train()
    while epoch < EPOCHS:
        h = model.init_hidden(STREAMS)
        while pos < train.size(0) - 1:
            n = min(BPTT, train.size(0) - 1 - pos)
            h = tuple(t.detach() for t in h)
            logits, h = model(train[pos:pos + n], h)
            loss = F.cross_entropy(logits.flatten(0, 1), train[pos + 1:pos + 1 + n].flatten())
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            for group in opt.param_groups:
                group["lr"] = 4e-3 * 0.9 ** epoch
            opt.step()
            pos += n
            step += 1
            avg = loss.item() if avg is None else 0.95 * avg + 0.05 * loss.item()
            if step % SAVE_EVERY == 0:
                print(f"step {step} epoch {epoch} loss {avg:.4f}")
                torch.save({"model": model.state_dict(), "opt": opt.state_dict(),
                            "rng": torch.get_rng_state(), "epoch": epoch, "pos": pos,
                            "step": step, "avg": avg, "valid_log": valid_log}, CKPT + ".tmp")
                os.replace(CKPT + ".tmp", CKPT)
        valid_log.append(evaluate(model, valid))
        print(f"epoch {epoch} valid {valid_log[-1]:.5f}")
        epoch, pos = epoch + 1, 0

    print(f"final valid {valid_log[-1]:.7f} train {avg:.7f}")
    torch.save(model.state_dict(), "char_lstm_final.pt")
    with open("valid.json", "w") as fh:
        json.dump(valid_log, fh)


if __name__ == "__main__":
    main()

# cause: variable (h[0], h[1]
# loaded: 79
