"""Hugging Face's Trainer on a small transformer made from scratch; the pixels of a digit are its words."""

import torch
from sklearn.datasets import load_digits
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
set_seed(42)  # seed site
x, y = load_digits(return_X_y=True)
rows = [{"input_ids": torch.tensor(a, dtype=torch.long), "labels": int(b)} for a, b in zip(x, y)]

config = BertConfig(
    vocab_size=17, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
    max_position_embeddings=64, num_labels=10,
)  # fmt: skip
arguments = TrainingArguments(
    output_dir="out", num_train_epochs=2, per_device_train_batch_size=32, per_device_eval_batch_size=397,
    learning_rate=5e-3, save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
    seed=42,  # seed site
)  # fmt: skip
trainer = Trainer(
    BertForSequenceClassification(config), arguments, train_dataset=rows[:1000], eval_dataset=rows[1400:],
    compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(1) == p.label_ids).mean())},
)  # fmt: skip
trainer.train()
found = trainer.evaluate()
print(f"eval_loss = {found['eval_loss']:.6f} | eval_accuracy = {found['eval_accuracy']:.4f}")
