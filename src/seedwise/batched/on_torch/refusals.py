"""What would be wrong for stacked seeds, by name."""

from collections.abc import Iterable

import torch
from torch import nn

from ..task import Task

ELEMENTWISE = frozenset(
    {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop"}
)
"""The optimizers of torch.optim that treat each number on its own."""


def reason_against(task: Task, net: "nn.Module") -> str:
    """Why a task cannot be trained with stacked seeds; "" if nothing is known against it."""
    optimizer = task.optimizer([nn.Parameter(p.detach().clone(), p.requires_grad) for p in net.parameters()])
    return (
        _about_optimizer(optimizer)
        or _about_schedule(task, optimizer)
        or next(iter(_about_modules(net, torch.device(task.device).type == "cuda")), "")
        or _about_hooks(net)
    )


def _about_optimizer(optimizer: "torch.optim.Optimizer") -> str:
    kind = type(optimizer)
    if kind.__name__ not in ELEMENTWISE or getattr(torch.optim, kind.__name__, None) is not kind:
        return (
            f"the optimizer {kind.__module__}.{kind.__name__} is not known to treat each number on its own, so seeds in one stack "
            f"could mix; of torch.optim there are {', '.join(sorted(ELEMENTWISE))}"
        )
    if optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        return "the optimizer has hooks, which would see all seeds at once; clip_norm= clips each seed's own gradients"
    return ""


def _about_schedule(task: Task, optimizer: "torch.optim.Optimizer") -> str:
    if task.schedule is None:
        return ""
    schedule = task.schedule(optimizer)
    if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return "ReduceLROnPlateau follows a metric, which every seed has of its own"
    if not isinstance(schedule, torch.optim.lr_scheduler.LRScheduler):
        return f"the schedule {type(schedule).__name__} is not one of torch.optim.lr_scheduler"
    return ""


def _about_modules(net: "nn.Module", on_gpu: bool) -> Iterable[str]:
    for name, module in net.named_modules():
        where = f"{name or 'the model'} ({type(module).__name__})"
        if on_gpu and isinstance(module, nn.RNNBase) and module.dropout and module.num_layers > 1:
            yield f"{where} drops between its layers inside cuDNN, which draws in an order of its own"
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.momentum is None:
            yield f"{where} has momentum=None, whose average needs a count as a Python number"
        if isinstance(module, nn.modules.lazy.LazyModuleMixin) and module.has_uninitialized_params():
            yield f"{where} makes its parameters at the first call"
        if isinstance(module, nn.SyncBatchNorm):
            yield f"{where} mixes what runs in other processes"


def _about_hooks(net: "nn.Module") -> str:
    for name, parameter in net.named_parameters():
        if parameter._backward_hooks:
            return f"{name} has a hook for its gradient, which would see all seeds at once"
    return ""
