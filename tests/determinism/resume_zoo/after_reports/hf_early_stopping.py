"""Sequence classification with a tiny BERT and the Hugging Face Trainer (synthetic token data)."""
import json
import os
import re

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (BertConfig, BertForSequenceClassification, EarlyStoppingCallback, Trainer, TrainerCallback,
                          TrainingArguments, set_seed)

torch.set_num_threads(1)

OUT = "outputs"
VOCAB, LENGTH, CLASSES = 200, 24, 4


class MotifDataset(Dataset):
    """Each class has its own pair of motif tokens hidden in noise."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, CLASSES, n)
        self.ids = rng.integers(20, VOCAB, (n, LENGTH))
        for i, c in enumerate(self.labels):
            pos = rng.choice(np.arange(1, LENGTH), 2, replace=False)
            self.ids[i, pos] = [2 + 2 * c, 3 + 2 * c]
        self.ids[:, 0] = 1

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        ids = torch.as_tensor(self.ids[i])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": int(self.labels[i])}


def compute_metrics(p):
    return {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())}


class PrintLogs(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kw):
        keep = {k: v for k, v in logs.items() if "runtime" not in k and "per_second" not in k and "flos" not in k}
        print(state.global_step, keep, flush=True)


def last_checkpoint():
    if not os.path.isdir(OUT):
        return None
    steps = [int(m.group(1)) for m in (re.fullmatch(r"checkpoint-(\d+)", d) for d in os.listdir(OUT)) if m]
    for s in sorted(steps, reverse=True):
        d = os.path.join(OUT, f"checkpoint-{s}")
        if all(os.path.exists(os.path.join(d, f)) for f in ("trainer_state.json", "rng_state.pth", "scheduler.pt")):
            return d
    return None


def main():
    set_seed(42)
    model = BertForSequenceClassification(BertConfig(
        vocab_size=VOCAB, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=32, num_labels=CLASSES))
    train, test = MotifDataset(1200, 0), MotifDataset(300, 1)
    args = TrainingArguments(
        output_dir=OUT, num_train_epochs=4, per_device_train_batch_size=16, per_device_eval_batch_size=100,
        gradient_accumulation_steps=2, learning_rate=2e-3, lr_scheduler_type="cosine", warmup_steps=15,
        weight_decay=0.01, logging_steps=10, eval_strategy="steps", eval_steps=25, save_strategy="steps",
        save_steps=25, save_total_limit=3, metric_for_best_model="eval_loss", load_best_model_at_end=True,
        greater_is_better=False, report_to=[], use_cpu=True, disable_tqdm=True, seed=42,
        restore_callback_states_from_checkpoint=True)
    trainer = Trainer(model=model, args=args, train_dataset=train, eval_dataset=test,
                      compute_metrics=compute_metrics,
                      callbacks=[EarlyStoppingCallback(early_stopping_patience=5), PrintLogs()])
    trainer.train(resume_from_checkpoint=last_checkpoint())
    metrics = trainer.evaluate()
    best = trainer.state.best_metric
    print("final eval_loss", repr(metrics["eval_loss"]), "accuracy", repr(metrics["eval_accuracy"]),
          "best", repr(best), "steps", trainer.state.global_step)
    with open("result.json", "w") as f:
        json.dump({"eval_loss": metrics["eval_loss"], "accuracy": metrics["eval_accuracy"], "best": best,
                   "steps": trainer.state.global_step}, f)


if __name__ == "__main__":
    main()


# cause: none
# loaded: 78
