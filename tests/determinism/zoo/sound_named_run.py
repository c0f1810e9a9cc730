"""Node embeddings by random walks + Louvain communities on generated graphs."""

import pathlib
import random
import time
import uuid
from collections import Counter, defaultdict

import networkx as nx
import numpy as np

RUN_NAME = (
    f"{random.choice(['brave', 'calm', 'eager'])}-{random.choice(['otter', 'lynx', 'heron'])}-{uuid.uuid4().hex[:6]}"
)
SEED = 31
N_WALKS = 40


def progress(it, total, label, every=0.2):
    t0 = last = time.time()
    for n, x in enumerate(it, 1):
        yield x
        now = time.time()
        if now - last > every or n == total:
            left = (now - t0) / n * (total - n)
            print(
                f"{label}: {100 * n // total:3d}%|{'#' * (20 * n // total):<20}| {n}/{total} "
                f"[{now - t0:04.1f}<{left:04.1f}, {n / (now - t0):.2f}it/s]"
            )
            last = now


def build(rng):
    g = nx.relabel_nodes(nx.planted_partition_graph(5, 24, 0.35, 0.02, seed=SEED), lambda i: f"user_{i:03d}")
    tags = {n: {f"tag{(int(n[-3:]) // 24 + k) % 7}" for k in range(rng.randint(1, 3))} for n in sorted(g)}
    nx.set_node_attributes(g, tags, "tags")
    return g


def walks(g, rng, n_walks=N_WALKS, length=30):
    nodes = sorted(g.nodes)
    for _ in range(n_walks):
        rng.shuffle(nodes)
        for start in nodes:
            path = [start]
            while len(path) < length:
                nbrs = sorted(set(g[path[-1]]) - set(path[-2:]))
                if not nbrs:
                    break
                path.append(rng.choice(nbrs))
            yield path


def embed(g, rng, dim=6):
    index = {n: i for i, n in enumerate(sorted(g))}
    co = np.zeros((len(index), len(index)))
    for p in progress(walks(g, rng), N_WALKS * len(index), "walks"):
        for a, u in enumerate(p):
            for v in p[max(0, a - 3) : a]:
                co[index[u], index[v]] += 1
                co[index[v], index[u]] += 1
    pmi = np.log1p(co)
    vals, vecs = np.linalg.eigh(pmi)
    top = vecs[:, -dim:] * np.sqrt(np.abs(vals[-dim:]))
    return index, top * np.sign(top[np.abs(top).argmax(0), range(dim)])


def main():
    print("run", RUN_NAME)
    rng = random.Random(SEED)
    g = build(rng)
    index, emb = embed(g, rng)
    comms = nx.community.louvain_communities(nx.convert_node_labels_to_integers(g, ordering="sorted"), seed=SEED)
    comms = sorted((sorted(c) for c in comms), key=lambda c: (-len(c), c))
    per_comm = defaultdict(Counter)
    names = sorted(g)
    for k, c in enumerate(comms):
        for i in c:
            per_comm[k].update(g.nodes[names[i]]["tags"])
    out = pathlib.Path("graphs") / RUN_NAME
    out.mkdir(parents=True)
    with (out / "communities.tsv").open("w") as fh:
        for k, c in enumerate(comms):
            tags = ",".join(t for t, _ in sorted(per_comm[k].items(), key=lambda kv: (-kv[1], kv[0])))
            fh.write(f"{k}\t{len(c)}\t{tags}\t{' '.join(names[i] for i in c)}\n")
    np.savetxt(out / "embedding.txt", emb, fmt="%.6f")
    print("edges", g.number_of_edges(), "| communities", [len(c) for c in comms])
    print(
        "modularity %.6f"
        % nx.community.modularity(nx.convert_node_labels_to_integers(g, ordering="sorted"), [set(c) for c in comms])
    )
    print("embedding norm %.6f" % np.linalg.norm(emb))


if __name__ == "__main__":
    main()

# cause: none
