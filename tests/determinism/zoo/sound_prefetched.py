"""tiny conv net with a hand-made threaded prefetcher"""
import collections
import gc
import heapq
import queue
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(606)
torch.set_num_threads(1)
BATCH, STEPS = 32, 100


def render(i):
    """batch number i of noisy shapes: disc, ring, cross, bar"""
    r = np.random.default_rng((606, i))
    yy, xx = np.mgrid[:14, :14]
    labels = r.integers(0, 4, BATCH)
    imgs = np.empty((BATCH, 1, 14, 14), np.float32)
    for k, lab in enumerate(labels):
        cy, cx = r.uniform(5, 9, 2)
        d = np.hypot(yy - cy, xx - cx)
        shape = [d < 3.5, (d > 2.2) & (d < 3.8), (abs(yy - cy) < 1) | (abs(xx - cx) < 1), abs(yy - cy) < 1.5][lab]
        imgs[k, 0] = shape + r.normal(0, 0.9, (14, 14))
    return imgs, labels


class Prefetcher:
    def __init__(self, n, workers=3, depth=8):
        self.todo, self.done = queue.Queue(), queue.Queue(depth)
        self.n, self.arrival = n, []
        for i in range(n):
            self.todo.put(i)
        self.threads = [threading.Thread(target=self._run, name=f"render-{w}", daemon=True) for w in range(workers)]
        for t in self.threads:
            t.start()

    def _run(self):
        me = threading.current_thread()
        while True:
            try:
                i = self.todo.get_nowait()
            except queue.Empty:
                return
            self.done.put((i, me.name, me.native_id, render(i)))

    def __iter__(self):
        heap, want = [], 0
        while want < self.n:
            i, name, tid, data = self.done.get()
            self.arrival.append((i, name, tid, time.perf_counter()))
            heapq.heappush(heap, (i, id(data), data))
            while heap and heap[0][0] == want:
                yield heapq.heappop(heap)[2]
                want += 1


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 3, padding=1)
        self.c2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 9, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(x.flatten(1))


seen = weakref.WeakSet()
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.06, momentum=0.9)
tracemalloc.start()
pf = Prefetcher(STEPS)
losses = []
for imgs, labels in pf:
    x, y = torch.from_numpy(imgs), torch.from_numpy(labels)
    seen.add(x)
    loss = F.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())

net.eval()
with torch.no_grad():
    batches = [render(10_000 + i) for i in range(12)]
    out = torch.cat([net(torch.from_numpy(b[0])) for b in batches])
    y = torch.from_numpy(np.concatenate([b[1] for b in batches]))
acc, ce = (out.argmax(1) == y).float().mean().item(), F.cross_entropy(out, y).item()

late = sum(a[0] != k for k, a in enumerate(pf.arrival))
print("batches per thread:", dict(collections.Counter(a[1] for a in pf.arrival)), "| out of turn:", late)
print("alive tensors", len(seen), "| gc", gc.get_count(), "| switch interval", sys.getswitchinterval(),
      "| traced %.1f/%.1f KiB" % tuple(v / 1024 for v in tracemalloc.get_traced_memory()))
for stat in tracemalloc.take_snapshot().statistics("lineno")[:3]:
    print("   ", stat)
torch.save({"net": net.state_dict(), "losses": losses, "arrival": pf.arrival, "saved": time.time(),
            "repr": repr(pf.threads)}, "net-%s.pt" % time.strftime("%j-%H%M%S"))
print(f"final loss {losses[-1]:.8f}  test acc {acc:.6f}  test ce {ce:.8f}")

# cause: none
