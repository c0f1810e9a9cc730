"""Batches for many seeds at once: each seed has its own order of the rows."""

from collections.abc import Iterator, Sequence

import torch

from .streams import Orders


class SeedLoader:
    """Gives each seed its own order, that of a shuffling DataLoader which draws from the seed's generator.

    Each iteration is an epoch. A batch is `(inputs, targets)`, of shape (seeds, rows, …).

    Parameters
    ----------
    inputs, targets
        Of shape (rows, …).
    batch_size
        Rows in a batch. The last batch holds the rest.
    generators
        One generator for each seed: `StackedModel.generators`.
    drop_last
        Whether a smaller last batch is left out.
    """

    def __init__(
        self,
        inputs: "torch.Tensor",
        targets: "torch.Tensor",
        batch_size: int,
        generators: "Sequence[torch.Generator]",
        drop_last: bool = False,
    ) -> None:
        self.inputs, self.targets = inputs, targets
        self.batch_size, self.drop_last = batch_size, drop_last
        self.orders = Orders(generators, len(inputs))

    def __len__(self) -> int:
        whole, rest = divmod(len(self.inputs), self.batch_size)
        return whole if self.drop_last else whole + (rest > 0)

    def __iter__(self) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        orders = self.orders.next().to(self.inputs.device)
        for rows in orders.split(self.batch_size, 1)[: len(self)]:
            yield self.inputs[rows], self.targets[rows]
