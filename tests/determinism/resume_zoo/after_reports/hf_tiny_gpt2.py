"""Causal language model from scratch with the transformers Trainer (tiny GPT-2, toy arithmetic text)."""
import argparse

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("--output_dir", default="gpt2-toy")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--save_steps", type=int, default=15)
parser.add_argument("--seed", type=int, default=42)


class Sums(Dataset):
    chars = "0123456789+=; "

    def __init__(self, n=800, length=24):
        text = "".join(f"{a}+{b}={a + b}; " for a in range(60) for b in range(60))
        ids = torch.tensor([self.chars.index(c) for c in text])
        g = torch.Generator().manual_seed(0)
        starts = torch.randint(0, len(ids) - length, (n,), generator=g)
        self.rows = torch.stack([ids[s:s + length] for s in starts.tolist()])

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return {"input_ids": self.rows[i], "labels": self.rows[i]}


def main():
    cli = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(cli.seed)
    config = GPT2Config(vocab_size=len(Sums.chars), n_positions=24, n_embd=32, n_layer=2, n_head=2,
                        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config)
    training_args = TrainingArguments(
        output_dir=cli.output_dir,
        num_train_epochs=cli.epochs,
        per_device_train_batch_size=16,
        learning_rate=2e-3,
        warmup_steps=10,
        logging_steps=25,
        save_steps=cli.save_steps,
        ignore_data_skip=True,
        seed=cli.seed,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    data = Sums()
    trainer = Trainer(model=model, args=training_args, train_dataset=data, eval_dataset=data)
    try:
        checkpoint = get_last_checkpoint(cli.output_dir)
    except FileNotFoundError:
        checkpoint = None
    trainer.train(resume_from_checkpoint=checkpoint)
    print(f"final loss {trainer.evaluate()['eval_loss']:.10f}")


if __name__ == "__main__":
    main()

# cause: position within the epoch
# loaded: 60
