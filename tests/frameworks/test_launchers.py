"""Launchers: argparse, Hydra, torchrun and accelerate launch, each by the recipe of docs/frameworks/launchers.md."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script
from seedwise.results import Results, Status

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(300)]
Script = Callable[..., list[str]]
BIN = Path(sys.executable).parent

ARGPARSE = """
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=42)
random.seed(parser.parse_args().seed)
print("acc =", random.random())
"""
HYDRA = """
import random
import hydra

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    random.seed(config.seed)
    print("acc =", config.scale * random.random())

main()
"""
TORCHRUN = """
import torch
import seedwise
import torch.distributed as dist
dist.init_process_group("gloo")
torch.manual_seed(42 + dist.get_rank())
value = torch.rand(1)
dist.all_reduce(value)
seedwise.log(acc=value.item(), rank=dist.get_rank())
if dist.get_rank() == 0:
    print("acc =", value.item())
dist.destroy_process_group()
"""
ACCELERATE = """
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
accelerator = Accelerator(cpu=True)
set_seed(42, device_specific=True)
value = accelerator.reduce(torch.rand(1), "sum")
accelerator.print("acc =", value.item())
"""


def accuracies(results: Results) -> list[float]:
    assert [run.status for run in results.runs] == [Status.FINISHED] * len(results), [
        run.detail for run in results.runs
    ]
    return [float(value) for value in results.scores("acc").values]


def test_argparse_is_substituted_or_given_the_seed(script: Script) -> None:
    command = script(ARGPARSE)
    substituted = accuracies(run_script(command, [1, 2, 3], name="default"))
    assert accuracies(run_script([*command, "--seed", "{seed}"], [1, 2, 3], name="given")) == substituted
    assert len(set(substituted)) == 3


def test_hydra_takes_the_seed_as_an_override(script: Script, project: Path) -> None:
    (project / "conf").mkdir()
    (project / "conf" / "config.yaml").write_text("seed: 42\nscale: 2.0\n")
    command = script(HYDRA)
    given = accuracies(run_script([*command, "seed={seed}"], [1, 2, 3], name="override"))
    assert len(set(given)) == 3
    in_file = run_script(command, [1, 2, 3], name="file", seed_site="conf/config.yaml:seed")
    assert accuracies(in_file) == given
    for run in in_file.runs:  # Hydra's own folder is kept with the run, and shows the number that it was given
        (kept,) = Path(str(run.folder), "files", "outputs").rglob(".hydra/config.yaml")
        assert f"seed: {run.seed}" in kept.read_text()
    assert not (project / "outputs").exists()


@pytest.mark.parametrize(
    ("text", "launcher"),
    [
        (TORCHRUN, ["torchrun", "--standalone", "--nproc-per-node", "2"]),
        (
            ACCELERATE,
            [
                "accelerate",
                "launch",
                "--cpu",
                "--num_processes",
                "2",
                "--num_machines",
                "1",
                "--mixed_precision",
                "no",
                "--dynamo_backend",
                "no",
            ],
        ),
    ],
    ids=["torchrun", "accelerate"],
)
def test_every_rank_gets_the_seed(text: str, launcher: list[str], script: Script) -> None:
    assert (BIN / launcher[0]).exists() or shutil.which(launcher[0])
    script(text)
    command = [str(BIN / launcher[0]), *launcher[1:], "train.py"]
    results = run_script(command, [1, 2], name="first", jobs=1)
    first = accuracies(results)
    if launcher[0] == "torchrun":
        assert [run.series["rank"].values for run in results.runs] == [(0.0,), (0.0,)]
    again = accuracies(run_script(command, [1, 2], name="again", jobs=1))
    assert first == again
    assert first[0] != first[1]
