"""transformers Trainer: tiny GPT-2 on counting sequences, moving average of the weights, checkpoint every 12 steps."""

import os
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments, set_seed

torch.set_num_threads(1)
SEED = 23
OUT = "gpt_out"
set_seed(SEED)


class Counting(Dataset):
    def __init__(self, n, seed):
        r = np.random.RandomState(seed)
        start, stride = r.randint(0, 40, size=(n, 1)), r.randint(1, 6, size=(n, 1))
        self.x = (start + stride * np.arange(16)) % 48

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        t = torch.tensor(self.x[i])
        return {"input_ids": t, "labels": t.clone()}


class WeightAverage(TrainerCallback):
    def __init__(self, decay=0.97):
        self.decay, self.shadow = decay, None

    def on_train_begin(self, args, state, control, model=None, **kw):
        self.shadow = {k: v.detach().clone() for k, v in model.named_parameters()}

    def on_step_end(self, args, state, control, model=None, **kw):
        for k, v in model.named_parameters():
            self.shadow[k].mul_(self.decay).add_(v.detach(), alpha=1 - self.decay)

    def apply(self, model):
        with torch.no_grad():
            for k, v in model.named_parameters():
                v.copy_(self.shadow[k])


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


model = GPT2LMHeadModel(
    GPT2Config(vocab_size=48, n_positions=16, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
)
args = TrainingArguments(
    output_dir=OUT,
    num_train_epochs=3,
    per_device_train_batch_size=24,
    per_device_eval_batch_size=100,
    learning_rate=4e-3,
    warmup_steps=8,
    logging_steps=12,
    save_strategy="steps",
    save_steps=12,
    report_to=[],
    use_cpu=True,
    seed=SEED,
    disable_tqdm=True,
)
average = WeightAverage()
trainer = Trainer(
    model=model,
    args=args,
    train_dataset=Counting(600, 1),
    eval_dataset=Counting(200, 2),
    callbacks=[average, Printer()],
)
last = newest()
if last:
    print("resuming from", last, flush=True)
trainer.train(resume_from_checkpoint=last)
raw = trainer.evaluate()["eval_loss"]
average.apply(model)
avg = trainer.evaluate()["eval_loss"]
trainer.save_model("final_averaged")
print(f"FINAL eval_loss={avg:.9f} raw_loss={raw:.9f} step={trainer.state.global_step}")

# cause: averaged weights
# loaded: 106
