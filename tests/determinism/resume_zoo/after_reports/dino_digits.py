"""Self-distillation (DINO-like) on digits, evaluated with a k-NN probe."""
import copy
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

SEED = 14
EPOCHS = 16
BATCH = 64
OUT_DIM = 32
CKPT = "dino_last.pt"

torch.set_num_threads(1)


def encoder():
    return nn.Sequential(nn.Linear(64, 128), nn.LayerNorm(128), nn.GELU(),
                         nn.Linear(128, 64), nn.GELU(), nn.Linear(64, OUT_DIM))


class DinoLoss(nn.Module):
    def __init__(self, out_dim, t_student=0.1, t_teacher=0.05, momentum=0.95):
        super().__init__()
        self.t_student, self.t_teacher, self.momentum = t_student, t_teacher, momentum
        self.center = torch.zeros(1, out_dim)

    def forward(self, student, teacher):
        targets = [F.softmax((t - self.center) / self.t_teacher, dim=-1).detach() for t in teacher]
        logs = [F.log_softmax(s / self.t_student, dim=-1) for s in student]
        loss = 0.5 * (-(targets[0] * logs[1]).sum(-1).mean() - (targets[1] * logs[0]).sum(-1).mean())
        self.update(torch.cat(teacher))
        return loss

    @torch.no_grad()
    def update(self, teacher):
        self.center = self.center * self.momentum + teacher.mean(0, keepdim=True) * (1 - self.momentum)


def view(x, gen):
    x = x.view(-1, 8, 8)
    shift = torch.randint(-1, 2, (2,), generator=gen)
    x = torch.roll(x, tuple(shift.tolist()), dims=(1, 2)).reshape(len(x), 64)
    keep = (torch.rand(x.shape, generator=gen) > 0.15).float()
    return x * keep + 0.05 * torch.randn(x.shape, generator=gen)


def probe(model, x_tr, y_tr, x_te, y_te):
    feats = nn.Sequential(*list(model)[:-2])
    with torch.no_grad():
        a, b = F.normalize(feats(x_tr)), F.normalize(feats(x_te))
    knn = KNeighborsClassifier(10).fit(a.numpy(), y_tr)
    return float(knn.score(b.numpy(), y_te))


def main():
    torch.manual_seed(SEED)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    x_tr, y_tr, x_te, y_te = x[:1280], y[:1280], x[1280:], y[1280:]
    student = encoder()
    teacher = copy.deepcopy(student).requires_grad_(False)
    criterion = DinoLoss(OUT_DIM)
    opt = torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.04)
    steps = EPOCHS * (len(x_tr) // BATCH)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 2e-3, total_steps=steps)
    it, log = 0, []
    if os.path.exists(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        student.load_state_dict(ck["student"])
        teacher.load_state_dict(ck["teacher"])
        criterion.load_state_dict(ck["criterion"])
        opt.load_state_dict(ck["opt"])
        sched.load_state_dict(ck["sched"])
        it, log = ck["it"], ck["log"]
        print(f"loaded {CKPT}: iteration {it}, saved {ck['when']}")

    for epoch in range(it // (len(x_tr) // BATCH), EPOCHS):
        gen = torch.Generator().manual_seed(SEED * 1009 + epoch)
        order = torch.randperm(len(x_tr), generator=gen)
        total = 0.0
        for idx in order.split(BATCH):
            a, b = view(x_tr[idx], gen), view(x_tr[idx], gen)
            with torch.no_grad():
                t = [teacher(a), teacher(b)]
            loss = criterion([student(a), student(b)], t)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), 3.0)
            opt.step()
            sched.step()
            m = 1 - (1 - 0.98) * (math.cos(math.pi * it / steps) + 1) / 2
            with torch.no_grad():
                for p, q in zip(teacher.parameters(), student.parameters()):
                    p.mul_(m).add_(q, alpha=1 - m)
            it += 1
            total += loss.item()
        acc = probe(teacher, x_tr, y_tr, x_te, y_te)
        log.append([total / 20, acc])
        print(f"epoch {epoch:2d} loss {total / 20:.5f} knn {acc:.4f}")
        torch.save({"student": student.state_dict(), "teacher": teacher.state_dict(),
                    "criterion": criterion.state_dict(), "opt": opt.state_dict(),
                    "sched": sched.state_dict(), "it": it, "log": log, "when": time.ctime()}, CKPT + ".tmp")
        os.replace(CKPT + ".tmp", CKPT)

    print(f"final loss {log[-1][0]:.7f} knn {log[-1][1]:.6f}")
    torch.save(teacher.state_dict(), "dino_teacher.pt")
    with open("dino_log.json", "w") as fh:
        json.dump(log, fh)


if __name__ == "__main__":
    main()

# cause: variable (criterion.center
# loaded: 76
