"""Reading metrics from what scripts print: the rules of docs/metrics.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.metrics import stdout as printed

NAN = float("nan")


def pairs(text: str) -> dict[str, float]:
    as_json, as_text = printed.read(printed.lines_of(text))
    return {name: values[-1] for name, values in {**as_text.values, **as_json.values}.items()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seed =    0 | acc = 0.7900 | loss = 0.1234", {"seed": 0, "acc": 0.79, "loss": 0.1234}),
        ("loss: 0.12", {"loss": 0.12}),
        ("val_acc=93.1%", {"val_acc": 93.1}),
        ("Epoch 10/100, Loss: 0.234, Accuracy: 93.10%", {"loss": 0.234, "accuracy": 93.1}),
        ("Epoch [3/10], Step [100/600], Loss: 0.1234", {"loss": 0.1234}),
        ("epoch 0 loss = 1.0044", {"loss": 1.0044}),
        ("100/100 ━━━━ 0s 2ms/step - accuracy: 0.91 - loss: 0.30", {"accuracy": 0.91, "loss": 0.30}),
        ("Accuracy of the network on the 10000 test images: 98 %", {"test_accuracy": 98}),
        ("Test set: Average loss: 0.05, Accuracy: 98/100 (98%)", {"test_average_loss": 0.05, "test_accuracy": 98}),
        ("| accuracy | 0.93 |", {"accuracy": 0.93}),
        ("│ test_acc │   0.9321 │", {"test_acc": 0.9321}),
        ("accuracy              0.951", {"accuracy": 0.951}),
        ("{'acc': 0.9, 'loss': np.float64(0.123)}", {"acc": 0.9, "loss": 0.123}),
        ('{"acc": 0.9, "val": {"loss": 0.1}, "ok": true}', {"acc": 0.9, "val/loss": 0.1}),
        ("loss tensor(0.1234, grad_fn=<NllLossBackward0>)", {"loss": 0.1234}),
        ("train: loss 0.5 acc 0.9", {"train_loss": 0.5, "train_acc": 0.9}),
        ("[val] loss: 0.6 | acc: 0.8", {"val_loss": 0.6, "val_acc": 0.8}),
        ("2024-01-02 12:30:01,123 INFO root: loss: 0.5", {"loss": 0.5}),
        ("0.169326527063", {"value": 0.169326527063}),
        ("F1-score (macro): 0.81", {"f1-score_macro": 0.81}),
        ("Accuracy (%): 81.5", {"accuracy": 81.5}),
        ("MSE: 1,234.5", {"mse": 1234.5}),
        ("the final accuracy is 0.9167 on the test set", {"final_accuracy": 0.9167}),
        ("Test Accuracy = 0.9 +/- 0.01", {"test_accuracy": 0.9}),
        ("step 300 | loss 1.234e-2", {"loss": 0.01234}),
        ("score: -.5", {"score": -0.5}),
        (
            "train: loss 0.3 acc 0.9 | val: loss 0.4 acc 0.8",
            {"train_loss": 0.3, "train_acc": 0.9, "val_loss": 0.4, "val_acc": 0.8},
        ),
        ("{'test': {'acc': .9}, 'train': {'acc': .99}}", {"test_acc": 0.9, "train_acc": 0.99}),
        ("Val. Loss: 0.4 | Val. Acc: 85%", {"val_loss": 0.4, "val_acc": 85}),
        ("[10] valid_0's auc: 0.93", {"valid_0_auc": 0.93}),
        ("  eval_accuracy           =     0.9123", {"eval_accuracy": 0.9123}),
        ("Best accuracy at epoch 7: 0.91", {"best_accuracy": 0.91}),
        ("Epoch 0: 100%|███| 10/10 [00:01<00:00, 8.0it/s, train_loss=0.5]", {"train_loss": 0.5}),
        ("accuracy = 0,931", {"accuracy": 0.931}),
        ("[seed 4] acc 0.5", {"seed": 4, "acc": 0.5}),
        ("losses: [0.1, 0.2]", {}),
        ("time: 3.2s", {}),
        ("Python 3.11.7 on 2024-01-02 at 12:30:01", {}),
        ("https://example.org/x=3y", {}),
        ("printing average reward over episodes in last : 4000 timesteps", {}),
        ("Test set accuracy 0.53", {"test_set_accuracy": 0.53}),
        ("Test Loss: 0.3 | Acc: 0.90", {"test_loss": 0.3, "test_acc": 0.9}),
        ("acc 0.8 -> 0.9", {"acc": 0.9}),
        ("val loss 0.5 -> 0.4", {"val_loss": 0.4}),
        ("95 correct 5 incorrect", {"correct": 95}),
        ("{'eval_loss': 0.3, 'epoch': 3.0}", {"eval_loss": 0.3, "epoch": 3.0}),
        ("\x1b[32macc\x1b[0m = \x1b[1m0.5\x1b[0m", {"acc": 0.5}),
    ],
)
def test_line(line: str, expected: dict[str, float]) -> None:
    assert pairs(line) == expected


def test_progress_bar_counts_with_its_last_state() -> None:
    bar = "  0%| | 0/2 [00:00<?, ?it/s]\r 50%|█ | 1/2 [00:01<00:01, 1.0it/s, loss=0.5]\r100%|██| 2/2 [00:02, 1.0it/s, loss=0.25]\n"
    assert pairs(bar) == {"loss": 0.25}


def test_header_with_rows_below() -> None:
    assert pairs("epoch  train_loss  val_acc\n1  0.5  0.6\n2  0.25  0.75\n") == {
        "epoch": 2,
        "train_loss": 0.25,
        "val_acc": 0.75,
    }


def test_a_rule_below_the_header_is_no_row() -> None:
    assert pairs("| epoch | acc |\n|---|---|\n| 1 | 0.5 |\n") == {"epoch": 1, "acc": 0.5}


def test_nan_is_read_as_such() -> None:
    value = pairs("loss=nan")["loss"]
    assert value != value


def test_ten_bare_numbers_are_ten_repeats() -> None:
    _, text = printed.read(printed.lines_of("\n".join(f"0.{k}" for k in range(10))))
    assert text.values["value"] == [k / 10 for k in range(10)]


@given(st.text())
def test_never_fails_whatever_is_printed(text: str) -> None:
    printed.read(printed.lines_of(text))


@given(st.dictionaries(st.sampled_from(["acc", "val_loss", "f1"]), st.floats(-1e6, 1e6), min_size=1))
def test_reads_back_what_is_printed_as_pairs(values: dict[str, float]) -> None:
    line = " | ".join(f"{name} = {value!r}" for name, value in values.items())
    assert pairs(line) == values


def test_pattern_takes_group_one_or_the_first_number() -> None:
    lines = ["final error 0.25 after 3", "final error .125"]
    assert printed.by_pattern(lines, r"final error ([0-9.]+)") == [0.25, 0.125]
    assert printed.by_pattern(lines, r"error [0-9.]+") == [0.25, 0.125]


@pytest.mark.parametrize(
    "line",
    [
        "a " * 10_000,
        "1 " * 10_000,
        "12345678901234567890" * 1_000,
        "(" * 20_000,
        "acc: " * 4_000,
        "a=1 " * 5_000,
        "acc: 0.5" + " " * 5_000 + "train.py:33",
        "100%|" * 4_000,
        "1 -> " * 4_000,
        "| a " * 5_000,
        "Loss 1.2 (1.3 " * 1_500,
        "12:34:56 " * 2_000,
        "{'a': " * 3_000,
        "@[ IoU=" * 2_000,
    ],
    ids=lambda line: line[:12],
)
def test_no_line_takes_long(line: str) -> None:
    import time

    before = time.process_time()
    printed.read(printed.lines_of(line))
    assert time.process_time() - before < 1  # a few milliseconds; what takes long takes minutes


def test_methods_below_each_other_are_not_one_series() -> None:
    assert pairs("| model | acc |\n|---|---|\n| ours | 0.91 |\n| baseline | 0.80 |\n") == {
        "ours_acc": 0.91,
        "baseline_acc": 0.8,
    }


def test_a_number_beyond_a_float_is_infinite() -> None:
    assert pairs('{"acc": 0.5, "id": ' + "9" * 400 + "}") == {"acc": 0.5, "id": float("inf")}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("INFO done in 2.0s best_acc=0.92", "best_acc"),
        ("took 2m3s acc=0.92", "acc"),
        ("took 12 s acc=0.92", "acc"),
        ("12s 3ms/step - accuracy: 0.92", "accuracy"),
        ("top 5 acc = 0.92", "top_5_acc"),
    ],
)
def test_a_duration_is_no_part_of_a_name(line: str, name: str) -> None:
    assert printed.read(printed.lines_of(line))[1].values == {name: [0.92]}
