"""What a checkpoint can lack, and what to write against it, in the words of the framework."""

import contextlib
import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path


class Lost(StrEnum):
    """What was not restored."""

    PARAMETERS = "parameters"
    PRECISION = "precision of the parameters"
    ROUNDED = "precision of what was saved"
    OPTIMIZER = "state of the optimizer"
    GROUPS = "order of the optimizer's parameters"
    RATES = "learning rate"
    SCHEDULE = "schedule of the learning rate"
    SCALER = "gradient scaler"
    BUFFERS = "running statistics (buffers)"
    GRADIENTS = "accumulated gradients"
    TRAINED = "which parameters are trained (requires_grad)"
    COPIES = "second copy of the model (EMA, target)"
    GENERATORS = "generator"
    OWN = "generator of the program's own"
    KEY = "key of jax.random"
    POSITION = "position within the epoch"
    ORDER = "order of the data"
    REPLAY = "replay memory"
    COUNTER = "counter of epochs or steps"
    BEST = "best value so far"
    PATIENCE = "patience of early stopping"
    AVERAGE = "averaged weights"
    OBJECT = "what an object has counted"
    HISTORY = "history of earlier epochs"
    VARIABLE = "variable"
    FILE = "parameters of the newest checkpoint"
    MOVED = "a generator that is drawn from between saving and training"
    RESEEDED = "a generator that is seeded again and again"
    CACHE = "a file that an earlier run made"
    NOTHING_READ = "no checkpoint was read"
    NOT_APPLIED = "the checkpoint was read and not used"
    FAILS = "it fails when it goes on"
    UNSTEADY = "two uninterrupted runs differ"
    UNKNOWN = "not found"


NOT_LOST = (Lost.MOVED, Lost.RESEEDED, Lost.CACHE)
"""What is no part of a checkpoint that was left out."""

PART_OF = {
    "parameters": Lost.PARAMETERS,
    "optimizer": Lost.OPTIMIZER,
    "rates": Lost.RATES,
    "schedule": Lost.SCHEDULE,
    "scaler": Lost.SCALER,
    "buffers": Lost.BUFFERS,
    "copies": Lost.COPIES,
    "gradients": Lost.GRADIENTS,
    "trained": Lost.TRAINED,
    "generators": Lost.GENERATORS,
    "own generators": Lost.OWN,
    "order": Lost.ORDER,
}

_TORCH = {
    Lost.PARAMETERS: "save model.state_dict() and load it with model.load_state_dict",
    Lost.PRECISION: "save the parameters in the precision in which they are trained: no .half() or .bfloat16() on the way",
    Lost.ROUNDED: "save it in the precision in which it is trained: no .astype, .half() or the like on the way",
    Lost.OPTIMIZER: "save optimizer.state_dict() too, and call optimizer.load_state_dict when the checkpoint is loaded",
    Lost.GROUPS: "give the optimizer its parameters and groups in the order in which it had them when it was saved: load_state_dict assigns "
    "states by their position",
    Lost.RATES: "save optimizer.state_dict() too: it holds the rates; call optimizer.load_state_dict after the schedule is made",
    Lost.SCHEDULE: "save scheduler.state_dict() too, after scheduler.step(), and call scheduler.load_state_dict when the checkpoint "
    "is loaded",
    Lost.SCALER: "save scaler.state_dict() too, and call scaler.load_state_dict when the checkpoint is loaded",
    Lost.BUFFERS: "save model.state_dict(), which has the buffers, not the parameters alone",
    Lost.COPIES: "save the second model's state_dict() too, and load it",
    Lost.GRADIENTS: "save right after optimizer.step(), when no gradients are accumulated; or save each p.grad too, and put it back",
    Lost.TRAINED: "freeze and free layers by what is saved (if epoch >= 2, not == 2), or save each p.requires_grad, and put it back",
    Lost.KEY: "save the key too, and read it back (jax.random.key_data and wrap_key_data for keys of jax.random.key); or take each "
    "step's key from its number: jax.random.fold_in(key, step)",
    Lost.POSITION: "save at the end of an epoch, or use torchdata's StatefulDataLoader and save its state_dict()",
    Lost.ORDER: "let the order follow from the epoch: generator.manual_seed(seed + epoch), or sampler.set_epoch(epoch)",
    Lost.REPLAY: "save the memory of earlier steps too, and read it back",
    Lost.COUNTER: "save the epoch and the step, and let the loop start from them",
    Lost.BEST: "save the best value so far, and read it back",
    Lost.PATIENCE: "save the counter of early stopping, and read it back",
    Lost.AVERAGE: "save the averaged weights, and read them back",
    Lost.OBJECT: "save what the object holds (give it a state_dict of its own), and read it back",
    Lost.HISTORY: "save the list too, and read it back",
    Lost.VARIABLE: "save it too, and read it back",
    Lost.FILE: "load the file that was written last",
    Lost.MOVED: "let what is drawn between (an evaluation) have a generator of its own: torch.Generator().manual_seed(0); or do it "
    "on both ways, before the states are saved and before they are put back",
    Lost.RESEEDED: "let the seed follow from the epoch where an epoch begins (torch.manual_seed(seed + epoch)), and give an evaluation "
    "a generator of its own",
    Lost.CACHE: "draw what is made once with a generator of its own (np.random.default_rng(0)), or seed again after it is made or read",
    Lost.NOT_APPLIED: "call model.load_state_dict with what was loaded, before the training",
}
_RANDOM = {
    "torch": "save torch.get_rng_state() and call torch.set_rng_state",
    "numpy.random": "save np.random.get_state() and call np.random.set_state",
    "random": "save random.getstate() and call random.setstate",
}
_WORDS: dict[str, dict[Lost, str]] = {
    "transformers": {
        Lost.GENERATORS: "call trainer.train(resume_from_checkpoint=True): the checkpoint's rng_state.pth holds the generators",
        Lost.OPTIMIZER: "leave save_only_model=False, and call trainer.train(resume_from_checkpoint=True)",
        Lost.POSITION: "leave ignore_data_skip=False",
        Lost.NOTHING_READ: "call trainer.train(resume_from_checkpoint=True)",
    },
    "lightning": {
        Lost.OPTIMIZER: "give the checkpoint to trainer.fit(model, ckpt_path=…), and leave save_weights_only=False",
        Lost.NOTHING_READ: "call trainer.fit(model, ckpt_path='last')",
        Lost.POSITION: "save at the end of an epoch (save_on_train_epoch_end=True), or use torchdata's StatefulDataLoader",
        Lost.GENERATORS: "save the generators' states in on_save_checkpoint and put them back in on_train_start: "
        "Lightning restores none of them",
        Lost.COUNTER: "give the checkpoint to trainer.fit(model, ckpt_path=…): load_from_checkpoint takes the weights alone",
        Lost.OBJECT: "keep what it holds in on_save_checkpoint and on_load_checkpoint of the module or the callback (state_dict)",
        Lost.VARIABLE: "keep it in on_save_checkpoint and on_load_checkpoint of the module or the callback (state_dict)",
    },
    "accelerate": {
        Lost.OPTIMIZER: "give the optimizer to accelerator.prepare, and use accelerator.save_state and load_state",
        Lost.SCHEDULE: "accelerator.register_for_checkpointing(scheduler), before load_state",
        Lost.GENERATORS: "use accelerator.save_state and load_state, which keep the generators",
        Lost.POSITION: "accelerator.skip_first_batches(loader, steps done in this epoch)",
        Lost.ORDER: "set the epoch of the loader: loader.set_epoch(epoch); with use_seedable_sampler=True the order follows from it",
    },
    "keras": {
        Lost.OPTIMIZER: "keras.callbacks.BackupAndRestore(folder), or model.save and keras.saving.load_model: save_weights leaves the "
        "optimizer out",
        Lost.COUNTER: "keras.callbacks.BackupAndRestore(folder), or fit(initial_epoch=…)",
        Lost.ORDER: "Keras restores no generator: keras.utils.set_random_seed(seed + epoch) at the start of each epoch, or an order "
        "that follows from the epoch",
        Lost.GENERATORS: "Keras restores no generator: in a callback, keras.utils.set_random_seed(seed + epoch) in on_epoch_begin",
        Lost.NOTHING_READ: "fit(callbacks=[keras.callbacks.BackupAndRestore(folder)])",
        Lost.BEST: "Keras saves nothing of its callbacks: keep best and wait of the callback in a file in on_epoch_end, and put "
        "them back in on_epoch_begin of the first epoch",
        Lost.PATIENCE: "Keras saves nothing of its callbacks: keep best and wait of the callback in a file in on_epoch_end, and "
        "put them back in on_epoch_begin of the first epoch",
    },
    "skorch": {
        Lost.OPTIMIZER: "LoadInitState(checkpoint) with Checkpoint(f_optimizer=…)",
        Lost.NOTHING_READ: "callbacks=[Checkpoint(dirname=…), LoadInitState(checkpoint)]",
    },
    "ignite": {
        Lost.OPTIMIZER: "put it into to_save: {'model': model, 'optimizer': optimizer, 'trainer': trainer}, and "
        "Checkpoint.load_objects(to_save, …)",
        Lost.SCHEDULE: "put it into to_save, and into Checkpoint.load_objects",
        Lost.COUNTER: "put the trainer into to_save: {'trainer': trainer, …}",
        Lost.GENERATORS: "use ignite.engine.DeterministicEngine as the trainer, and put it into to_save",
    },
    "orbax": {
        Lost.OPTIMIZER: "hand the optimizer's state to the manager too: args=ocp.args.StandardSave({'params': …, 'opt_state': …})",
    },
}
_WORDS["pytorch_lightning"] = _WORDS["lightning"]


def frameworks_of(files: Sequence[str], imported: Collection[str]) -> list[str]:
    """The imported frameworks that the user's own files name: one imports another, which says nothing about the user."""
    texts = []
    for path in files:
        with contextlib.suppress(OSError):
            texts.append(Path(path).read_text(encoding="utf-8", errors="replace"))
    return [
        name for name in imported if any(re.search(rf"^\s*(import|from)\s[^#\n]*\b{name}\b", t, re.M) for t in texts)
    ]


def fix_words(lost: Lost, detail: Sequence[str], frameworks: Collection[str]) -> str:
    """What to write against one cause."""
    for framework in (
        "transformers",
        "lightning",
        "pytorch_lightning",
        "accelerate",
        "keras",
        "skorch",
        "ignite",
        "orbax",
    ):
        if framework in frameworks and lost in _WORDS[framework]:
            return _WORDS[framework][lost]
    if lost is Lost.GENERATORS:
        return "; ".join(_RANDOM[name] for name in detail if name in _RANDOM) or "save its state, and put it back"
    if lost is Lost.OWN:
        return f"save the state of {', '.join(detail)} and put it back (NumPy: rng.bit_generator.state; torch: get_state, set_state)"
    if lost is Lost.OPTIMIZER and any("." in name for name in detail):  # variables of the program's own: `opt.t`
        return "save all that the optimizer holds (its moments, its count of steps), and put it back"
    return _TORCH.get(lost, "")
