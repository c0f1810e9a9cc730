"""Masked-language-model pretraining of a tiny BERT on the scikit-learn data set descriptions."""
import os
import re

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_linnerud, load_wine
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (BertConfig, BertForMaskedLM, DataCollatorForLanguageModeling, PreTrainedTokenizerFast,
                          Trainer, TrainerCallback, TrainingArguments, set_seed)
from transformers.trainer_utils import get_last_checkpoint

torch.set_num_threads(1)

SEED = 42
BLOCK = 32


def build_tokenizer(text):
    words = sorted(set(re.findall(r"\w+|[^\w\s]", text.lower())))
    vocab = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words)}
    tok = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tok.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tok, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]")


class PrintLogs(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kw):
        if "loss" in logs:
            print(f"step {state.global_step} loss {logs['loss']} lr {logs['learning_rate']}", flush=True)


def main():
    set_seed(SEED)
    text = "\n".join(f().DESCR for f in (load_iris, load_wine, load_digits, load_breast_cancer, load_diabetes,
                                         load_linnerud)).lower()
    tokenizer = build_tokenizer(text)
    ids = tokenizer(text)["input_ids"]
    blocks = [ids[i:i + BLOCK] for i in range(0, len(ids) - BLOCK, BLOCK // 2)]
    train = [{"input_ids": b} for b in blocks[:-40]]
    held_out = torch.tensor(blocks[-40:])

    model = BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2,
                                       num_attention_heads=4, intermediate_size=128, max_position_embeddings=64))
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, seed=SEED)
    args = TrainingArguments(output_dir="mlm", max_steps=160, per_device_train_batch_size=16, learning_rate=2e-3,
                             lr_scheduler_type="linear", warmup_steps=20, logging_steps=5, save_steps=20,
                             save_total_limit=4, report_to=[], use_cpu=True, disable_tqdm=True, seed=SEED)
    trainer = Trainer(model=model, args=args, train_dataset=train, data_collator=collator, callbacks=[PrintLogs()])
    last = get_last_checkpoint("mlm") if os.path.isdir("mlm") else None
    trainer.train(resume_from_checkpoint=last)

    # held-out loss with every fifth token masked
    model.eval()
    masked = held_out.clone()
    masked[:, ::5] = tokenizer.mask_token_id
    labels = held_out.clone()
    labels[masked != tokenizer.mask_token_id] = -100
    with torch.no_grad():
        loss = model(input_ids=masked, labels=labels).loss.item()
    print("final held-out loss", repr(loss), "after", trainer.state.global_step, "steps")


if __name__ == "__main__":
    main()


# cause: generator of the program's own (collator.generator
# loaded: 54
