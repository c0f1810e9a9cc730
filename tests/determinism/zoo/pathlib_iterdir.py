# cause: directory order
from pathlib import Path

folder = Path("texts")
folder.mkdir(exist_ok=True)
for word in ("b", "a", "d", "c"):
    (folder / word).write_text(word)
corpus = "".join(p.read_text() for p in folder.iterdir())  # HERE
print("corpus", corpus)
