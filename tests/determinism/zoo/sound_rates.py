# cause: none
import json
import time

began = time.perf_counter()
total = 0.0
for step in range(1, 4):
    start = time.perf_counter()
    total += sum(k * 0.5 for k in range(20_000 * step))
    dt = time.perf_counter() - start
    print(
        f"step {step} loss {1 / step:.4f} | {20_000 / dt:.1f} img/s | {dt * 1e3:.2f}ms | {64 / dt / 1e6:.2f}M tok/sec | eta {(3 - step) * dt:.6f}"
    )
    print(f"fps={1 / dt:.3f} latency_ms={dt * 1e3:.4f} tokens/s: {5000 / dt:.0f}")
with open("summary.json", "w") as file:
    json.dump(
        {
            "total": total,
            "wall_time_s": time.perf_counter() - began,
            "samples_per_sec": 9 / dt,
            "speed": {"x": total / dt},
        },
        file,
    )
print("total", total, "speedup", round(start / began, 12), "share", dt / (time.perf_counter() - began))
