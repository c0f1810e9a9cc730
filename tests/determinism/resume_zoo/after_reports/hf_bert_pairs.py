"""transformers Trainer: tiny BERT from a config, token-order task, checkpoint every 15 steps."""

import os
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

torch.set_num_threads(1)
SEED = 17
OUT = "bert_out"
set_seed(SEED)


class Pairs(Dataset):
    def __init__(self, n, seed):
        r = np.random.RandomState(seed)
        self.x = r.randint(5, 60, size=(n, 14))
        self.y = (self.x[:, :7].sum(1) > self.x[:, 7:].sum(1)).astype(int)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {
            "input_ids": torch.tensor(self.x[i]),
            "attention_mask": torch.ones(14, dtype=torch.long),
            "labels": int(self.y[i]),
        }


class Printer(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kw):
        keep = {
            k: round(v, 6) for k, v in (logs or {}).items() if k in ("loss", "eval_loss", "eval_acc", "learning_rate")
        }
        if keep:
            print(state.global_step, keep, flush=True)

    def on_save(self, args, state, control, **kw):
        print("saved checkpoint", state.global_step, flush=True)


def newest():
    if not os.path.isdir(OUT):
        return None
    ok = []
    for d in os.listdir(OUT):
        p = os.path.join(OUT, d)
        if d.startswith("checkpoint-") and all(
            os.path.exists(os.path.join(p, f))
            for f in ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
        ):
            ok.append((int(d.split("-")[1]), p))
    return max(ok)[1] if ok else None


model = BertForSequenceClassification(
    BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        num_labels=2,
    )
)
args = TrainingArguments(
    output_dir=OUT,
    num_train_epochs=4,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=64,
    learning_rate=2e-3,
    lr_scheduler_type="cosine",
    warmup_steps=10,
    weight_decay=0.01,
    gradient_accumulation_steps=2,
    logging_steps=10,
    eval_strategy="steps",
    eval_steps=15,
    save_strategy="steps",
    save_steps=15,
    save_total_limit=3,
    load_best_model_at_end=False,
    report_to=[],
    use_cpu=True,
    seed=SEED,
    disable_tqdm=True,
    dataloader_num_workers=0,
)
trainer = Trainer(
    model=model,
    args=args,
    train_dataset=Pairs(640, 1),
    eval_dataset=Pairs(200, 2),
    callbacks=[Printer()],
    compute_metrics=lambda p: {"acc": float((p.predictions.argmax(-1) == p.label_ids).mean())},
)
last = newest()
if last:
    print("resuming from", last, flush=True)
trainer.train(resume_from_checkpoint=last)
m = trainer.evaluate()
trainer.save_model("final_bert")
w = sum(p.double().abs().sum().item() for p in model.parameters())
print(
    f"FINAL eval_loss={m['eval_loss']:.9f} acc={m['eval_acc']:.6f} step={trainer.state.global_step} weight_sum={w:.8f}"
)

# cause: none
# loaded: 115
