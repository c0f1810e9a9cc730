from .fit import fit
from .jax_model import JaxModel
from .on_torch.seed_loader import SeedLoader
from .on_torch.stacked import StackedModel
from .results import BatchedResults, Closeness
from .task import EarlyStopping, Engine

__all__ = ["BatchedResults", "Closeness", "EarlyStopping", "Engine", "JaxModel", "SeedLoader", "StackedModel", "fit"]
