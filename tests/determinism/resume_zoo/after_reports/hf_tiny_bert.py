"""Sequence classification with a tiny BERT and the transformers Trainer."""
import os

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

torch.set_num_threads(1)


class Parity(torch.utils.data.Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.ids = torch.randint(3, 20, (n, 12), generator=g)
        self.labels = (self.ids[:, 1:4].sum(1) % 2).long()

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "attention_mask": torch.ones(12, dtype=torch.long), "labels": self.labels[i]}


def main():
    args = TrainingArguments(
        output_dir="bert-parity",
        num_train_epochs=3,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        warmup_steps=10,
        weight_decay=0.01,
        save_strategy="steps",
        save_steps=20,
        save_total_limit=2,
        logging_steps=20,
        seed=17,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    set_seed(args.seed)
    config = BertConfig(vocab_size=20, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                        max_position_embeddings=16, hidden_dropout_prob=0.1, num_labels=2)
    model = BertForSequenceClassification(config)
    trainer = Trainer(model=model, args=args, train_dataset=Parity(640, 1), eval_dataset=Parity(128, 2))
    last = get_last_checkpoint(args.output_dir) if os.path.isdir(args.output_dir) else None
    trainer.train(resume_from_checkpoint=last)
    metrics = trainer.evaluate()
    print(f"final loss {metrics['eval_loss']:.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 49
