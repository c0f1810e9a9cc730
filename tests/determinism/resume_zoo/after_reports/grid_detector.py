"""One-box detector on synthetic pictures, training loop after the usual YOLO trainers."""
from copy import deepcopy
from datetime import date
from pathlib import Path

import torch
from torch import nn

torch.set_num_threads(1)


class Conv(nn.Module):
    def __init__(self, c1, c2, s=2):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, 3, s, 1, bias=False)
        self.bn = nn.BatchNorm2d(c2)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


def make_model():
    return nn.Sequential(Conv(1, 8), Conv(8, 16), Conv(16, 32), nn.Flatten(), nn.Linear(32 * 4, 4))


def make_images(n, seed):
    g = torch.Generator().manual_seed(seed)
    xy, wh = torch.randint(0, 10, (n, 2), generator=g), torch.randint(2, 7, (n, 2), generator=g)
    img = 0.1 * torch.randn(n, 1, 16, 16, generator=g)
    for i, ((x, y), (w, h)) in enumerate(zip(xy.tolist(), wh.tolist())):
        img[i, 0, y:y + h, x:x + w] += 1.0
    return img, torch.cat([xy, wh], 1).float() / 16


class Trainer:
    def __init__(self, save_dir="runs/detect/train", epochs=8, batch=32, seed=0):
        torch.manual_seed(seed)
        self.wdir = Path(save_dir) / "weights"
        self.wdir.mkdir(parents=True, exist_ok=True)
        self.last = self.wdir / "last.pt"
        self.epochs, self.batch, self.seed, self.start_epoch = epochs, batch, seed, 0
        self.model = make_model()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.02, momentum=0.937, nesterov=True)
        self.lf = lambda e: (1 - e / epochs) * 0.99 + 0.01
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self.lf)

    def resume_training(self):
        if not self.last.exists():
            return
        ckpt = torch.load(self.last, weights_only=False)
        self.model.load_state_dict(ckpt["model"].float().state_dict())
        self.optimizer.load_state_dict(ckpt["optimizer"])
        self.start_epoch = ckpt["epoch"] + 1
        self.scheduler.load_state_dict(ckpt["scheduler"])
        print(f"Resuming training from epoch {self.start_epoch + 1} to {self.epochs} total epochs")

    def save_model(self, epoch):
        ckpt = {
            "epoch": epoch,
            "model": deepcopy(self.model).half(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "date": date.today().isoformat(),
        }
        torch.save(ckpt, self.last)

    def train(self):
        x, y = make_images(960, 1)
        xv, yv = make_images(200, 2)
        self.resume_training()
        for epoch in range(self.start_epoch, self.epochs):
            self.model.train()
            order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed + epoch))
            for idx in order.split(self.batch):
                loss = nn.functional.smooth_l1_loss(self.model(x[idx]), y[idx], beta=0.1)
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
                self.optimizer.step()
            self.scheduler.step()
            print(f"{epoch + 1}/{self.epochs} box_loss {loss.item():.5f}")
            self.save_model(epoch)
        self.model.eval()
        with torch.no_grad():
            print(f"final loss {nn.functional.smooth_l1_loss(self.model(xv), yv, beta=0.1).item():.10f}")


if __name__ == "__main__":
    Trainer().train()

# cause: precision of the parameters
# loaded: 51
