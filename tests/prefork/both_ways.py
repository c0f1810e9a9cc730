"""One script fresh and forked, held against each other."""

import re
from pathlib import Path

from seedwise.api.experiments import output_of
from seedwise.api.script import run_script
from seedwise.results import Results

PARTS = ("stdout", "stderr", "status", "detail", "ledger")


def what_came(results: Results, seed: int) -> tuple[bytes, bytes, str, str, str]:
    run = next(run for run in results.runs if run.seed == seed)
    out, err = (Path(output_of(results.name, seed, which)).read_bytes() for which in ("stdout", "stderr"))
    err = re.sub(
        rb"(?m)^([IWE]\d{4}) [\d:]+\.\d+ +\d+ ", rb"\1 ", err
    )  # a clock and a process in TensorFlow's log lines
    ledger = Path(output_of(results.name, seed, "stdout")).parent / "ledger.json"
    generators = ledger.read_text() if ledger.exists() else ""
    return out, re.sub(rb"0x[0-9a-f]+", b"0x", err), run.status.value, run.detail, generators


def hold_both_ways(command: list[str], forked: list[int], seeds: tuple[int, ...] = (1, 2, 2**32 - 1)) -> None:
    fresh = run_script(command, seeds[1:], name="fresh", fresh=True, keep_going=True)
    assert not forked
    forked_runs = run_script(command, seeds, name="forked", jobs=1, keep_going=True)
    print(forked_runs.notes)  # why not, should a test find that nothing was forked
    for seed in seeds[1:]:  # the first is run fresh, and compared with a forked one, by the command itself
        for part, one, other in zip(PARTS, what_came(forked_runs, seed), what_came(fresh, seed), strict=True):
            assert one == other, f"{part} under seed {seed}: forked {one!r}, fresh {other!r}"
