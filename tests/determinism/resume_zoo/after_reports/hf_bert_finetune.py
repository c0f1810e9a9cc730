"""Small BERT classifier with the HF Trainer; the lower part is kept frozen at first."""
import json
import os
import warnings

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (BertConfig, BertForSequenceClassification, Trainer, TrainerCallback,
                          TrainingArguments, set_seed)
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import logging as hf_logging

warnings.filterwarnings("ignore")
hf_logging.set_verbosity_error()
torch.set_num_threads(1)

OUT = "bert_run"
SEQ = 12


class MajorityWords(Dataset):
    """Label = which of three word groups occurs most often."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.y = rng.integers(0, 3, n)
        base = rng.integers(3, 48, (n, SEQ))
        hit = rng.random((n, SEQ)) < 0.45
        own = 3 + self.y[:, None] * 15 + rng.integers(0, 15, (n, SEQ))
        self.x = np.where(hit, own, base)
        self.x[:, 0] = 1

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"input_ids": torch.tensor(self.x[i]), "attention_mask": torch.ones(SEQ, dtype=torch.long),
                "labels": torch.tensor(int(self.y[i]))}


def lower_part(model):
    yield from model.bert.embeddings.parameters()
    yield from model.bert.encoder.layer[0].parameters()


class GradualUnfreeze(TrainerCallback):
    def __init__(self, at_step):
        self.at_step = at_step

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        for p in lower_part(model):
            p.requires_grad_(False)

    def on_step_begin(self, args, state, control, model=None, **kwargs):
        if state.global_step == self.at_step:
            for p in lower_part(model):
                p.requires_grad_(True)
            print(f"step {state.global_step}: training all layers")


class Console(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            print(f"step {state.global_step:4d} loss {float(logs['loss']):.4f}")
        if logs and "eval_loss" in logs:
            print(f"step {state.global_step:4d} eval_loss {float(logs['eval_loss']):.5f} acc {float(logs['eval_acc']):.4f}")


def metrics(pred):
    return {"acc": float((pred.predictions.argmax(-1) == pred.label_ids).mean())}


def main():
    set_seed(31)
    config = BertConfig(vocab_size=48, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=SEQ, num_labels=3,
                        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    model = BertForSequenceClassification(config)
    args = TrainingArguments(
        output_dir=OUT, max_steps=200, per_device_train_batch_size=16, per_device_eval_batch_size=128,
        learning_rate=2e-3, warmup_steps=10, lr_scheduler_type="linear", save_strategy="steps",
        save_steps=40, eval_strategy="steps", eval_steps=40, logging_steps=20, report_to=[],
        seed=31, disable_tqdm=True, use_cpu=True,
    )
    trainer = Trainer(model=model, args=args, train_dataset=MajorityWords(800, 1),
                      eval_dataset=MajorityWords(300, 2), compute_metrics=metrics,
                      callbacks=[GradualUnfreeze(at_step=30), Console()])
    last = get_last_checkpoint(OUT) if os.path.isdir(OUT) else None
    if last:
        print("resume from", last)
    trainer.train(resume_from_checkpoint=last)

    result = trainer.evaluate()
    print(f"final eval_loss {result['eval_loss']:.7f} acc {result['eval_acc']:.6f}")
    np.savez("bert_final.npz", **{k: v.numpy() for k, v in model.state_dict().items()})
    with open("bert_result.json", "w") as fh:
        json.dump({"eval_loss": result["eval_loss"], "eval_acc": result["eval_acc"],
                   "loss": [h["loss"] for h in trainer.state.log_history if "loss" in h]}, fh)


if __name__ == "__main__":
    main()

# cause: which parameters are trained (requires_grad
# loaded: 92
