"""Names the source of a draw, and the user's line that it comes from, by looking at the callers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from ...process.frames import is_guest_file, is_user_file

SOURCES = ("init", "order", "dropout", "augment", "split", "other")
WORKERS = "workers"
"""The seed that a DataLoader draws for its workers. It is no source: what the workers draw is attributed there."""

IMPORT = "import"
"""What a library draws while it is imported."""
_BY_OBJECT = "by object"
_TRACES = "traces"
"""A compiler that executes a function once, and keeps what it saw for other callers. They tell nothing of its draws."""
_FOR_ITSELF = "for itself"
"""A caller that has a function traced which nobody else uses."""

_PATHS = (
    ("torch/nn/init.py", "init"),
    ("keras/src/initializers/", "init"),
    ("torch/utils/data/_utils/", "augment"),
    ("torch/utils/data/", "order"),
    ("keras/src/trainers/data_adapters/", "order"),
    ("keras/src/layers/regularization/", "dropout"),
    ("keras/src/layers/rnn/", "dropout"),
    ("keras/src/layers/attention/", "dropout"),
    ("keras/src/layers/preprocessing/", "augment"),
    ("timm/layers/drop", "dropout"),
    ("jax/_src/nn/initializers.py", "init"),
    ("flax/linen/stochastic.py", "dropout"),
    ("flax/nnx/nn/stochastic.py", "dropout"),
    ("flax/linen/attention.py", "dropout"),
    ("flax/nnx/nn/attention.py", "dropout"),
    ("haiku/_src/initializers.py", "init"),
    ("equinox/nn/_dropout.py", "dropout"),
    ("tensorflow/python/ops/init_ops", "init"),
    ("tensorflow/python/ops/image_ops_impl.py", "augment"),
    ("tensorflow/python/ops/random_crop_ops.py", "augment"),
    ("tensorflow/python/data/ops/shuffle_op.py", "order"),
    ("tensorflow/python/data/ops/structured_function.py", _FOR_ITSELF),
    *(
        (place, "augment")
        for place in (
            "torchvision/transforms/",
            "albumentations/",
            "kornia/augmentation/",
            "torchaudio/transforms/",
            "audiomentations/",
            "torch_audiomentations/",
            "imgaug/",
            "timm/data/",
            "monai/transforms/",
            "torch_geometric/transforms/",
        )
    ),
    ("sklearn/model_selection/", "split"),
)
"""Parts of a library's path, and the source of what is drawn there. The first that fits counts."""

_FUNCTIONS = (
    ("torch/utils/data/dataset.py", "random_split", "split"),
    ("torch/utils/data/dataloader.py", "__init__", WORKERS),
    ("torch/utils/data/dataloader.py", "_reset", WORKERS),
    ("torch/utils/data/dataloader.py", "_share_dist_seed", WORKERS),
    ("torch/nn/functional.py", "multi_head_attention_forward", "dropout"),
    ("torch/nn/modules/rnn.py", "forward", "dropout"),
    ("sklearn/neural_network/_multilayer_perceptron.py", "_init_coef", "init"),
    ("sklearn/neural_network/_multilayer_perceptron.py", "_fit_stochastic", "order"),
    ("sklearn/linear_model/_stochastic_gradient.py", "", "order"),
    ("sklearn/cluster/_kmeans.py", "", "init"),
    ("flax/linen/module.py", "param", "init"),
    ("flax/linen/module.py", "init", "init"),
    ("flax/linen/module.py", "init_with_output", "init"),
    ("jax/_src/interpreters/partial_eval.py", "trace_to_jaxpr", _TRACES),
    ("jax/_src/interpreters/partial_eval.py", "trace_to_jaxpr_dynamic", _TRACES),
    ("jax/_src/interpreters/partial_eval.py", "trace_to_jaxpr_nounits", _TRACES),
    ("tensorflow/python/eager/polymorphic_function/tracing_compilation.py", "", _TRACES),
)
"""A file, a function in it ("" for every one), and the source of what is drawn there."""


class Attribution:
    """Names the source of draws.

    Parameters
    ----------
    corrections
        `file:line` → source, where the user knows better. A file may be given by the end of its path.
    """

    def __init__(self, corrections: Mapping[str, str]) -> None:
        self._corrections = dict(corrections)
        self.used: set[str] = set()
        """The corrections that some draw has met."""
        self._rules: dict[CodeType, tuple[bool, str]] = {}
        self._at: dict[tuple[str, int], str] = {}

    def of(self, frame: FrameType | None, usual: str) -> tuple[str, str]:
        """The source of a draw, and `file:line` in the user's own code ("" if no user code is among the callers).

        The innermost caller that tells a source decides.

        Parameters
        ----------
        frame
            The caller of the function that draws.
        usual
            The source if no caller tells one.
        """
        place, source, traced = "", "", False
        while frame is not None:
            code = frame.f_code
            rule = self._rules.get(code)
            if rule is None:
                rule = self._rules[code] = _rule(code)
            if not place and rule[1] == IMPORT:
                return IMPORT, ""
            if not place and rule[0]:
                place = f"{code.co_filename}:{frame.f_lineno}"
                said = self._corrected(code.co_filename, frame.f_lineno) if self._corrections else ""
                if said:
                    return said, place
            if rule[1] in (_TRACES, _FOR_ITSELF):
                traced = rule[1] == _TRACES
            elif not (source or traced) and rule[1] and rule[1] != IMPORT:
                source = _of_object(frame, code.co_name) if rule[1] == _BY_OBJECT else rule[1]
            if place and source:
                break
            frame = frame.f_back
        return source or usual, place

    def _corrected(self, path: str, line: int) -> str:
        key = (path, line)
        if key not in self._at:
            self._at[key] = ""
            for place, source in self._corrections.items():
                file, _, number = place.rpartition(":")
                if number == str(line) and ("/" + path).endswith("/" + file.lstrip("./")):
                    self._at[key] = source
                    self.used.add(place)
        return self._at[key]


def _rule(code: CodeType) -> tuple[bool, str]:
    """Whether the code is the user's; and the source of what it draws, `_BY_OBJECT` or ""."""
    path, name = code.co_filename.replace(os.sep, "/"), code.co_name
    if is_guest_file(code.co_filename):
        return False, ""
    if path.startswith("<frozen importlib"):
        return False, IMPORT
    if os.path.basename(path).startswith(
        "__autograph_generated_file"
    ):  # the user's function, written anew by TensorFlow
        return False, _by_users_name(name[len("tf__") :] if name.startswith("tf__") else name)
    users = is_user_file(code.co_filename) or path in ("<string>", "<stdin>")
    if users:
        return True, _by_users_name(name)
    for file, function, source in _FUNCTIONS:
        if path.endswith(file) and function in ("", name):
            return False, source
    if path.endswith(("torch/nn/functional.py", "tensorflow/python/ops/nn_ops.py")):
        return False, "dropout" if "dropout" in name else ""
    source = next((source for part, source in _PATHS if part in path), "")
    return False, source or _by_name(name)


_PARTS = frozenset(
    "weight weights param params parameter parameters bias biases kernel kernels layer layers network net mlp model linear dense "
    "conv embedding embeddings".split()
)
"""Words for what has starting values."""


def _by_name(name: str) -> str:
    """What the name of a library's function tells."""
    if name in ("reset_parameters", "_reset_parameters"):
        return "init"
    if name in ("__init__", "forward", "call", "__call__"):
        return _BY_OBJECT
    words = name.strip("_").lower().split("_")
    return "init" if any(word.startswith("init") for word in words) and _PARTS & set(words) else ""


def _by_users_name(name: str) -> str:
    """What the name of a user's function tells."""
    words = name.strip("_").lower().split("_")
    if name in ("__getitem__", "__getitems__") or any(word.startswith("augment") for word in words):
        return "augment"
    if {"mixup", "cutmix", "jitter"} & set(words):
        return "augment"
    for word, source in (("shuffle", "order"), ("split", "split"), ("dropout", "dropout")):
        if word in words:
            return source
    if name in ("init", "initialize", "initialise"):
        return "init"
    return _BY_OBJECT if name == "__iter__" else _by_name(name)


def _of_object(frame: FrameType, name: str) -> str:
    """What the object whose method draws tells: a layer that is being made, a dropout layer, a sampler."""
    this: Any = frame.f_locals.get("self")
    if this is None:
        return ""
    kind = type(this)
    if name == "__iter__":
        data = sys.modules.get("torch.utils.data")
        return "order" if data is not None and issubclass(kind, data.Sampler) else ""
    if not _is_layer(kind):
        return ""
    if name == "__init__":
        return "init"
    return "dropout" if "drop" in kind.__name__.lower() else ""


_layers: dict[type, bool] = {}


def _is_layer(kind: type) -> bool:
    """Whether a class is a module or a layer of torch, Flax, Haiku, Equinox or Keras."""
    found = _layers.get(kind)
    if found is None:
        found = _layers[kind] = any(
            base.__name__ in ("Module", "Layer")
            and base.__module__.startswith(("torch.nn", "flax.", "haiku.", "equinox.", "keras."))
            for base in kind.__mro__
        )
    return found
