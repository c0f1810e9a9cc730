"""A tiny BERT reads digit images as token sequences; trained with the transformers Trainer."""
import os
import re

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from sklearn.datasets import load_digits
from transformers import (BertConfig, BertForSequenceClassification, PrinterCallback, Trainer, TrainerCallback,
                          TrainingArguments, set_seed)

torch.set_num_threads(1)
OUT = "out"
MARK = "COMPLETE"


class Pixels(torch.utils.data.Dataset):
    def __init__(self, x, y):
        self.x = torch.tensor(x, dtype=torch.long)
        self.y = torch.tensor(y, dtype=torch.long)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"input_ids": self.x[i], "labels": self.y[i]}


class Progress(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kw):
        if "loss" in logs:
            print(f"step {state.global_step} loss {logs['loss']} lr {logs['learning_rate']}", flush=True)
        elif "eval_loss" in logs:
            print(f"step {state.global_step} eval {logs['eval_loss']:.6f} acc {logs['eval_acc']:.4f}", flush=True)

    def on_save(self, args, state, control, **kw):
        folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        with open(os.path.join(folder, MARK), "w") as f:
            f.write(str(state.global_step))


def newest():
    if not os.path.isdir(OUT):
        return None
    steps = [int(m.group(1)) for m in (re.fullmatch(r"checkpoint-(\d+)", n) for n in os.listdir(OUT)) if m]
    done = [s for s in steps if os.path.exists(os.path.join(OUT, f"checkpoint-{s}", MARK))]
    return os.path.join(OUT, f"checkpoint-{max(done)}") if done else None


def accuracy(pred):
    return {"acc": float((np.argmax(pred.predictions, -1) == pred.label_ids).mean())}


def main():
    set_seed(13)
    x, y = load_digits(return_X_y=True)
    # 2x2 pooling -> 16 tokens with values 0..16
    x = x.reshape(-1, 4, 2, 4, 2).mean((2, 4)).round().astype(int).reshape(-1, 16)
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], y[order]
    train, test = Pixels(x[:1000], y[:1000]), Pixels(x[1000:1400], y[1000:1400])

    model = BertForSequenceClassification(BertConfig(
        vocab_size=17, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=16, num_labels=10, initializer_range=0.1,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1))
    args = TrainingArguments(
        output_dir=OUT, max_steps=220, per_device_train_batch_size=32, per_device_eval_batch_size=200,
        learning_rate=2e-3, warmup_steps=20, lr_scheduler_type="cosine", weight_decay=0.01, max_grad_norm=1.0,
        eval_strategy="steps", eval_steps=40, logging_steps=5, save_strategy="steps", save_steps=20,
        save_total_limit=2, seed=13, report_to=[], disable_tqdm=True, use_cpu=True)
    trainer = Trainer(model=model, args=args, train_dataset=train, eval_dataset=test,
                      compute_metrics=accuracy, callbacks=[Progress()])
    trainer.remove_callback(PrinterCallback)
    last = newest()
    if last:
        print(f"resuming from {last}", flush=True)
    trainer.train(resume_from_checkpoint=last)

    res = trainer.evaluate()
    losses = [h["loss"] for h in trainer.state.log_history if "loss" in h]
    norm = sum(p.double().pow(2).sum().item() for p in model.parameters())
    print(f"FINAL eval {res['eval_loss']!r} acc {res['eval_acc']!r} logged {len(losses)} "
          f"last_loss {losses[-1]!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
