"""Tiny GPT-2 trained from scratch on generated arithmetic strings with the HF Trainer."""
import json
import os
import random
import warnings

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback,
                          TrainingArguments, set_seed)
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import logging as hf_logging

warnings.filterwarnings("ignore")
hf_logging.set_verbosity_error()
hf_logging.disable_progress_bar()
torch.set_num_threads(1)

VOCAB = "0123456789+=. "
STOI = {c: i for i, c in enumerate(VOCAB)}
OUT = "gpt2_sums"


class Sums(Dataset):
    def __init__(self, n, seed):
        r = random.Random(seed)
        self.rows = []
        for _ in range(n):
            a, b = r.randrange(100), r.randrange(100)
            s = f"{a:02d}+{b:02d}={a + b:03d}."
            self.rows.append(torch.tensor([STOI[c] for c in s]))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return {"input_ids": self.rows[i], "labels": self.rows[i].clone()}


class JsonlLog(TrainerCallback):
    """Appends whatever the Trainer logs to a file."""

    def __init__(self, path):
        self.path = path

    def on_log(self, args, state, control, logs=None, **kwargs):
        row = {k: v for k, v in (logs or {}).items() if "runtime" not in k and "per_second" not in k}
        with open(self.path, "a") as fh:
            fh.write(json.dumps({"step": state.global_step, **row}) + "\n")
        if "loss" in row:
            print(f"step {state.global_step:4d} loss {float(row['loss']):.4f} lr {float(row['learning_rate']):.2e}")


def accuracy(model, data):
    model.eval()
    ids = torch.stack(data.rows)
    with torch.no_grad():
        logits = model(input_ids=ids).logits
    pred = logits[:, 5:8].argmax(-1)
    return (pred == ids[:, 6:9]).float().mean().item()


def main():
    set_seed(5)
    train, test = Sums(1200, 1), Sums(200, 2)
    config = GPT2Config(vocab_size=len(VOCAB), n_positions=16, n_embd=32, n_layer=2, n_head=2,
                        resid_pdrop=0.1, embd_pdrop=0.1, attn_pdrop=0.1,
                        bos_token_id=None, eos_token_id=None)
    model = GPT2LMHeadModel(config)
    args = TrainingArguments(
        output_dir=OUT, num_train_epochs=4, per_device_train_batch_size=24,
        gradient_accumulation_steps=1, learning_rate=3e-3, warmup_steps=20,
        lr_scheduler_type="cosine", weight_decay=0.01, max_grad_norm=1.0,
        save_strategy="steps", save_steps=40, save_total_limit=2, logging_steps=20,
        report_to=[], seed=5, data_seed=8, disable_tqdm=True, use_cpu=True,
        dataloader_num_workers=0,
    )
    trainer = Trainer(model=model, args=args, train_dataset=train,
                      callbacks=[JsonlLog("train_log.jsonl")])
    last = get_last_checkpoint(OUT) if os.path.isdir(OUT) else None
    if last is not None:
        print("found", last)
    trainer.train(resume_from_checkpoint=last)

    acc = accuracy(model, test)
    losses = [h["loss"] for h in trainer.state.log_history if "loss" in h]
    print(f"final digit accuracy {acc:.6f} last loss {float(losses[-1]):.6f}")
    np.savez("gpt2_final.npz", **{k: v.numpy() for k, v in model.state_dict().items()})
    with open("result.json", "w") as fh:
        json.dump({"acc": acc, "losses": losses, "steps": trainer.state.global_step}, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
