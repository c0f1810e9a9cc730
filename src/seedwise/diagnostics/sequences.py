"""What recurrent layers and attention hide inside: gradients through time, saturated gates, attention to one place. Needs torch."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

DERIVATIVE = 0.01
"""An output is saturated where the derivative of its tanh, sigmoid or softmax is below this share of its largest."""


def tanh_or_sigmoid(kind: str, output: "Tensor") -> float:
    """Share of outputs where the derivative, 1 - t² or 4·s(1 - s), is below `DERIVATIVE`."""
    out = output.detach()
    slope = 1 - out**2 if kind == "tanh" else 4 * out * (1 - out)
    return float((slope < DERIVATIVE).double().mean())


def batch_first(module: "nn.Module", tensor: "Tensor") -> "Tensor":
    """A tensor of a recurrent layer or of attention as (examples, steps, features)."""
    return tensor.transpose(0, 1) if tensor.ndim == 3 and not getattr(module, "batch_first", True) else tensor


def first_over_last(gradients: "Sequence[Tensor]") -> float | None:
    """The gradient with respect to the first step over that with respect to the last step that has any.

    Parameters
    ----------
    gradients
        One for each step, in the order in which the network reads them; each of shape (examples, features).

    Returns
    -------
    float
        None for a single step, or where no step has a gradient.

    Notes
    -----
    The product of Jacobians that Bengio, Simard & Frasconi (1994) and Pascanu, Mikolov & Bengio (2013, arXiv 1211.5063, section 2)
    show to shrink or grow from step to step.
    """
    norms = [math.sqrt(float((g.double() ** 2).sum(dim=-1).mean())) for g in gradients]
    last = next((norm for norm in reversed(norms[1:]) if norm > 0), None)
    return None if last is None else norms[0] / last


def saturated_gates(module: "nn.RNNBase", x: "Tensor", given: object, output: "Tensor") -> float | None:
    """Share of a recurrent layer's gates (of a plain one: of its tanh) that are saturated.

    Parameters
    ----------
    x, output
        What the layer reads and gives, shapes (examples, steps, features).
    given
        The state it starts from; None for zeros.

    Returns
    -------
    float
        None for stacked and bidirectional layers, whose gates cannot be told from the outside.
    """
    import torch
    from torch import nn

    plain = module.num_layers == 1 and not module.bidirectional and not getattr(module, "proj_size", 0)
    if not plain or x.ndim != 3:
        return None
    if isinstance(module, nn.RNN):
        return tanh_or_sigmoid("tanh", output) if module.nonlinearity == "tanh" else None
    start = given[0] if isinstance(given, tuple) else given
    first = start[0].detach() if isinstance(start, torch.Tensor) else torch.zeros_like(output[:, 0])
    before = torch.cat([first[:, None], output[:, :-1]], dim=1).detach()
    with torch.no_grad():
        of_input = nn.functional.linear(x.detach(), module.weight_ih_l0, getattr(module, "bias_ih_l0", None))
        of_state = nn.functional.linear(before, module.weight_hh_l0, getattr(module, "bias_hh_l0", None))
        if isinstance(module, nn.LSTM):
            i, f, g, o = (of_input + of_state).chunk(4, dim=-1)
            sigmoids, tanh = [i.sigmoid(), f.sigmoid(), o.sigmoid()], g.tanh()
        else:
            (r, z, n), (r_state, z_state, n_state) = of_input.chunk(3, dim=-1), of_state.chunk(3, dim=-1)
            reset = (r + r_state).sigmoid()
            sigmoids, tanh = [reset, (z + z_state).sigmoid()], (n + reset * n_state).tanh()
    shares = [tanh_or_sigmoid("sigmoid", of) for of in sigmoids] + [tanh_or_sigmoid("tanh", tanh)]
    return sum(shares) / len(shares)


def units_of(module: "nn.Module") -> "Tensor | None":
    """What each unit of a recurrent layer, a cell or attention is made of, shape (units, …); None for another layer.

    Of stacked layers the last one, of two directions the first.
    """
    import torch
    from torch import nn

    if isinstance(module, nn.MultiheadAttention):
        parts = [module.out_proj.weight, module.out_proj.bias]
    elif isinstance(module, nn.RNNCellBase):
        parts = [module.weight_ih, module.weight_hh, module.bias_ih, module.bias_hh]
    elif isinstance(module, nn.RNNBase):
        layer = f"l{module.num_layers - 1}"
        parts = [getattr(module, f"{name}_{layer}", None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    else:
        return None
    units = module.embed_dim if isinstance(module, nn.MultiheadAttention) else module.hidden_size
    # the rows of one gate stand together: gate k of unit u is row k·units + u
    rows = [
        p.detach().reshape(-1, units, *p.shape[1:]).transpose(0, 1).reshape(units, -1) for p in parts if p is not None
    ]
    return torch.cat(rows, dim=1)


def at_one_place(weights: "Tensor", several: "Tensor | None" = None) -> float | None:
    """Share of the rows of attention, shape (…, places), that give so much to one place that no gradient passes.

    The derivative of softmax, p(1 - p), of every place is below `DERIVATIVE` of its largest, 1/4.

    Parameters
    ----------
    several
        Which rows may look at more than one place, shape (…); None for all. The others do not count.
    """
    p = weights.detach().double()
    if p.shape[-1] < 2:
        return None
    rows = p.reshape(-1, p.shape[-1]) if several is None else p[several]
    if not len(rows):
        return None
    return float(((4 * rows * (1 - rows)).amax(dim=-1) < DERIVATIVE).double().mean())


def of_softmax(given: object, weights: "Tensor") -> float | None:
    """The same for `softmax(given)`, where it is attention: three axes or more, over the last one."""
    import torch

    if weights.ndim < 3 or not isinstance(given, torch.Tensor) or not _sums_to_one(weights):
        return None
    return at_one_place(weights, torch.isfinite(given.detach()).sum(dim=-1) > 1)


def _sums_to_one(weights: "Tensor") -> bool:
    return bool(((weights.detach().sum(dim=-1) - 1).abs() < 1e-3).all())


_ARGUMENTS = (
    "query",
    "key",
    "value",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "average_attn_weights",
    "is_causal",
)


def of_attention(module: "nn.MultiheadAttention", args: Sequence[object], kwargs: Mapping[str, object]) -> float | None:
    """The same for the heads of `nn.MultiheadAttention`, with these arguments of `forward`."""
    import torch

    named = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs, "need_weights": True, "average_attn_weights": False}
    with torch.no_grad():
        weights: Tensor = module.forward(**named)[1]
    masked = named.get("attn_mask") is not None or named.get("key_padding_mask") is not None
    return at_one_place(weights, (weights > 0).sum(dim=-1) > 1 if masked else None)


def of_product(args: Sequence[object], kwargs: Mapping[str, object]) -> float | None:
    """The same for `scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale)`."""
    import torch

    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    query, key, mask, scale = named["query"], named["key"], named.get("attn_mask"), named.get("scale")
    assert isinstance(query, torch.Tensor)
    assert isinstance(key, torch.Tensor)
    with torch.no_grad():
        if key.ndim == query.ndim and key.ndim > 2 and key.shape[-3] != query.shape[-3]:  # heads share keys
            key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
        by = float(scale) if isinstance(scale, int | float) else 1 / math.sqrt(query.shape[-1])
        logits = query.double() @ key.double().transpose(-2, -1) * by
        if named.get("is_causal"):
            allowed = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
            logits = logits.masked_fill(~allowed, -math.inf)
        if isinstance(mask, torch.Tensor):
            logits = logits.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else logits + mask
        return at_one_place(logits.softmax(dim=-1), torch.isfinite(logits).sum(dim=-1) > 1)
