"""transformers Trainer: a small ELECTRA student learns from a larger teacher that is trained first and kept in a folder."""
import os
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
warnings.filterwarnings("ignore")
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset
from transformers import (ElectraConfig, ElectraForSequenceClassification, Trainer, TrainerCallback, TrainingArguments,
                          set_seed)
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import logging

logging.set_verbosity_error()
SEED, VOCAB, LENGTH, OUT = 19, 24, 10, "student"
torch.set_num_threads(1)


class Majority(Dataset):
    def __init__(self, n, seed):
        r = np.random.default_rng(seed)
        self.ids = torch.from_numpy(r.integers(3, VOCAB, (n, LENGTH)))
        self.labels = ((self.ids % 3 == 0).sum(1) > (self.ids % 3 == 1).sum(1)).long()

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.labels[i]}


def model(width, layers, seed):
    set_seed(seed)
    return ElectraForSequenceClassification(ElectraConfig(
        vocab_size=VOCAB, embedding_size=width, hidden_size=width, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=2 * width, max_position_embeddings=LENGTH, num_labels=2))


def teacher(data):
    path = "teacher"
    if not os.path.isdir(path):
        net = model(32, 2, SEED)
        opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
        order = torch.Generator().manual_seed(SEED)
        net.train()
        for _ in range(2):
            for b in torch.randperm(len(data), generator=order).split(64):
                loss = net(input_ids=data.ids[b], labels=data.labels[b]).loss
                opt.zero_grad()
                loss.backward()
                opt.step()
        net.save_pretrained(path + ".tmp")
        os.rename(path + ".tmp", path)
        print("teacher ready, loss %.6f" % loss.item())
    return ElectraForSequenceClassification.from_pretrained(path).eval()


class Distil(Trainer):
    def __init__(self, *args, big=None, **kw):
        super().__init__(*args, **kw)
        self.big = big

    def compute_loss(self, model, inputs, return_outputs=False, **kw):
        out = model(**inputs)
        if not model.training:
            return (out.loss, out) if return_outputs else out.loss
        with torch.no_grad():
            soft = self.big(input_ids=inputs["input_ids"]).logits
        kl = F.kl_div(F.log_softmax(out.logits / 2, -1), F.softmax(soft / 2, -1), reduction="batchmean") * 4
        alpha = 0.9 - 0.5 * self.state.global_step / self.state.max_steps
        loss = alpha * kl + (1 - alpha) * out.loss
        return (loss, out) if return_outputs else loss


class Show(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kw):
        keys = [k for k in ("loss", "eval_loss", "learning_rate", "grad_norm") if k in logs]
        print(f"{time.strftime('%T')} step {state.global_step} " + " ".join(f"{k} {float(logs[k]):.8f}" for k in keys), flush=True)


def main():
    data, valid = Majority(640, 1), Majority(256, 2)
    big = teacher(data)
    student = model(24, 1, SEED + 1)
    args = TrainingArguments(OUT, num_train_epochs=4, per_device_train_batch_size=32, learning_rate=3e-3, seed=SEED,
                             lr_scheduler_type="cosine_with_restarts", lr_scheduler_kwargs={"num_cycles": 2}, warmup_steps=5,
                             optim="adafactor", save_strategy="epoch", eval_strategy="epoch", save_total_limit=3,
                             logging_steps=5, report_to=[], disable_tqdm=True, use_cpu=True, dataloader_num_workers=0)
    run = Distil(student, args, train_dataset=data, eval_dataset=valid, callbacks=[Show()], big=big)
    run.pop_callback(__import__("transformers").PrinterCallback)
    last = get_last_checkpoint(OUT) if os.path.isdir(OUT) else None
    if last:
        print("resume", last)
    run.train(resume_from_checkpoint=last)
    loss = run.evaluate()["eval_loss"]
    print("final eval_loss %.10f weight_sum %.10f" % (loss, sum(p.double().sum().item() for p in student.parameters())))


if __name__ == "__main__":
    main()


# cause: none
# loaded: 99
