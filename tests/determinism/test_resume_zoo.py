"""Programs that resume soundly, and the same ones with one line of their loading or saving taken out or changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.resume import check_resume_script
from seedwise.determinism.resuming import Resumed, Resuming

Script = Callable[..., list[str]]
Edits = list[tuple[str, str]]
ZOO = Path(__file__).parent / "resume_zoo"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def checked(script: Script, name: str, edits: Edits) -> Resuming:
    text = (ZOO / name).read_text()
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    found = check_resume_script(script(text))
    line = max(k for k, row in enumerate(text.splitlines(), start=1) if "torch.load(" in row or "np.load(" in row)
    assert found.loaded_at == f"train.py:{line}", found.sentence
    return found


def out(line: str) -> tuple[str, str]:
    return f"    {line}\n", ""


SOUND: list[Edits] = [
    [],
    [
        (
            '    np.savez("state.tmp.npz", **state)\n    os.replace("state.tmp.npz", "state.npz")',
            '    np.savez("state.npz", **state)',
        )
    ],
    [("    save(epoch)\n    print", "    if epoch % 2:\n        save(epoch)\n    print")],
    [out('losses = ck["losses"].tolist()'), (", np.mean(losses))", ")")],  # lost, and used by nothing
    [('print("epoch"', 'print("took", __import__("time").time(), "s")\n    print("epoch"')],
    [("    save(epoch)\n", '    save(epoch)\n    open("log.csv", "a").write(f"{epoch},{loss}\\n")\n')],
    [("    save(epoch)\n", '    open("log.csv", "a").write(f"{epoch},{loss}\\n")\n    save(epoch)\n')],
]


@pytest.mark.parametrize("edits", SOUND)
def test_a_sound_program_is_not_accused(script: Script, edits: Edits) -> None:
    found = checked(script, "numpy_net.py", edits)
    assert (found.verdict, found.cause) == (Resumed.IDENTICAL, ""), found.sentence


PROVED: list[tuple[Edits, str]] = [
    ([out("random.setstate((version, tuple(numbers), gauss))")], "generator (random)"),
    ([out('np.random.set_state(("MT19937", ck["numpy"], int(ck["position"])))')], "generator (numpy.random)"),
    ([out('rng.bit_generator.state = json.loads(str(ck["rng"]))')], "generator of the program's own (rng)"),
]


@pytest.mark.parametrize(("edits", "cause"), PROVED)
def test_a_generator_is_named_and_proved(script: Script, edits: Edits, cause: str) -> None:
    found = checked(script, "numpy_net.py", edits)
    assert (found.verdict, found.cause, found.fix_verified) == (Resumed.DIFFERENT, cause, True), found.sentence


PERHAPS: list[tuple[Edits, str]] = [
    ([out('velocity = ck["velocity"]')], "velocity"),
    ([out('ema = ck["ema"]')], "ema"),
    ([out('best = float(ck["best"])')], "best"),
    ([out('updates = int(ck["updates"])')], "updates"),
    ([out('losses = ck["losses"].tolist()')], "losses"),
    ([out('stopper.best, stopper.bad = float(ck["bad"][0]), int(ck["bad"][1])')], "stopper.bad"),
    ([('int(ck["epoch"]) + 1', 'int(ck["epoch"])')], "epoch"),
]


@pytest.mark.parametrize(("edits", "name"), PERHAPS)
def test_a_variable_is_named_perhaps(script: Script, edits: Edits, name: str) -> None:
    found = checked(script, "numpy_net.py", edits)
    assert found.verdict is Resumed.DIFFERENT, found.sentence
    assert not found.fix_verified
    assert "perhaps" in found.sentence
    assert name in found.cause, found.sentence


def test_everything_that_a_torch_program_loses_is_named_at_once(script: Script) -> None:
    edits = [
        out('opt.load_state_dict(ck["opt"])'),
        out('scaler.load_state_dict(ck["scaler"])'),
        out('ema.load_state_dict(ck["ema"])'),
        out('order.set_state(ck["order"])'),
    ]
    found = checked(script, "torch_net.py", edits)
    assert (found.verdict, found.fix_verified) == (Resumed.DIFFERENT, True), found.sentence
    for words in (
        "state of the optimizer (step, exp_avg",
        "gradient scaler (scale",
        "second copy",
        "program's own (order",
    ):
        assert words in found.cause, found.sentence
    for words in ("generator (torch)", "schedule", "running statistics", "parameters ("):
        assert words not in found.cause, found.sentence
    assert found.first_difference == 10


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("accumulated_gradients.py", "accumulated gradients"),
        (
            "thawed_layer.py",
            "which parameters are trained (requires_grad) (Sequential 1: 0.weight trained, resumed frozen",
        ),
        ("reordered_groups.py", "order of the optimizer's parameters (0.2.weight, resumed 0.0.weight)"),
    ],
)
def test_what_no_state_dict_holds_is_named_and_proved(script: Script, name: str, cause: str) -> None:
    found = checked(script, name, [])
    assert (found.verdict, found.fix_verified) == (Resumed.DIFFERENT, True), found.sentence
    assert found.cause.startswith(cause), found.sentence


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        pytest.param("accumulated_gradients.py", [("if it % 9 == 0", "if it % 8 == 0")], marks=pytest.mark.long),
        pytest.param("thawed_layer.py", [("if ep == 2", "if ep >= 2")], marks=pytest.mark.long),
        pytest.param(
            "reordered_groups.py",
            [("in (0, 2)[-min(start, 2) :]", "in (2, 0)[: min(start, 2)]")],
            marks=pytest.mark.long,
        ),
        ("running_norm.py", []),
    ],
)
def test_the_fix_that_is_told_makes_it_sound(script: Script, name: str, edits: Edits) -> None:
    found = checked(script, name, edits)
    assert (found.verdict, found.cause) == (Resumed.IDENTICAL, ""), found.sentence


def test_what_an_object_counts_as_it_runs_along_goes_before_the_data_that_it_changes(script: Script) -> None:
    found = checked(script, "running_norm.py", [out('norm.load_state_dict(ck["n"])')])
    assert found.verdict is Resumed.DIFFERENT
    assert found.cause.startswith("what an object has counted (norm.mean, norm.var, norm.count ("), found.sentence
    assert "state_dict of its own" in found.fix


@pytest.mark.frameworks
def test_a_key_of_jax_is_named_where_it_is_not_saved(script: Script) -> None:
    assert checked(script, "jax_key.py", []).verdict is Resumed.IDENTICAL
    found = checked(script, "jax_key.py", [out('rng = jnp.asarray(ck["rng"])')])
    assert found.verdict is Resumed.DIFFERENT
    assert found.cause.startswith("key of jax.random (rng"), found.sentence
    assert "fold_in" in found.fix


def test_names_times_and_the_first_mean_after_the_checkpoint_are_no_difference(script: Script) -> None:
    found = checked(script, "recorded_run.py", [])
    assert (found.verdict, found.cause) == (Resumed.IDENTICAL, ""), found.sentence
    assert any("the first mean after the checkpoint" in note for note in found.notes), found.notes


@pytest.mark.long
def test_later_means_are_compared(script: Script) -> None:
    ema = [("mean.append(loss.item())", "mean.append(loss.item() + 0.001 * (it - start))")]
    found = checked(script, "recorded_run.py", ema)
    assert found.verdict is not Resumed.IDENTICAL, found.sentence


@pytest.mark.parametrize(
    ("edits", "cause"),
    [
        ([], ""),
        ([out('    opt.t = int(ck["t"])')], "state of the optimizer (opt.t (16, resumed 0))"),
        # many calls come before the training goes on, as those of JAX where it compiles
        (
            [
                ('"w": net.w,', '"w": net.w.astype(np.float16),'),
                (
                    "        rng.bit_gen",
                    "        [(lambda: k)() for k in range(60_000)]\n        rng.bit_gen",
                ),
            ],
            "precision of what was saved (net.w rounded to float16)",
        ),
        # an object that is met under two names in one of the programs alone
        ([out('    net.stats = {"mean": ck["mean"]}')], "variable (net.stats['mean'])"),
    ],
)
def test_a_program_that_draws_from_a_generator_of_its_own_alone_is_held_against_the_other_at_a_line(
    script: Script, edits: Edits, cause: str
) -> None:
    found = checked(script, "own_optimizer.py", edits)
    assert found.cause.startswith(cause), found.sentence
    assert found.verdict is (Resumed.DIFFERENT if cause else Resumed.IDENTICAL)
    assert "optimizer.state_dict" not in found.fix


def test_a_file_written_later_from_which_nobody_goes_on_is_no_checkpoint(script: Script) -> None:
    found = checked(script, "steps_and_best.py", [])
    assert (found.verdict, found.resumed_from, found.interrupted_after) == (Resumed.IDENTICAL, 35, 36), found.sentence
    assert any(note.startswith("best.pt was written later, after step 36") for note in found.notes), found.notes


def test_the_wrong_one_of_several_checkpoints_is_named(script: Script) -> None:
    found = checked(script, "steps_and_best.py", [("{state['step']:03}", "{state['step']}"), ("% 5 == 0", "% 3 == 0")])
    assert found.cause.startswith("parameters of the newest checkpoint"), found.sentence


@pytest.mark.long
def test_a_rate_that_is_one_epoch_behind_is_named(script: Script) -> None:
    late = [
        ("    sched.step()\n    if", "    if"),
        ("    save(epoch)\n    print", "    save(epoch)\n    sched.step()\n    print"),
    ]
    found = checked(script, "torch_net.py", late)
    assert found.verdict is Resumed.DIFFERENT
    assert "schedule of the learning rate (last_epoch: 3 → 2" in found.sentence, found.sentence
    assert found.fix_verified


def test_torch_resumes_identically(script: Script) -> None:
    found = checked(script, "torch_net.py", [])
    assert (found.verdict, found.resumed_from, found.interrupted_after) == (Resumed.IDENTICAL, 9, 10), found.sentence


@pytest.mark.long
def test_rounded_parameters_with_their_buffers(script: Script) -> None:
    halves = ('"net": net.state_dict()', '"net": {k: v.half() for k, v in net.state_dict().items()}')
    found = checked(script, "torch_net.py", [halves])
    assert (found.cause, found.fix_verified) == ("precision of the parameters (rounded to float16)", True), (
        found.sentence
    )


BUFFERS_AND_COPY = """
import os, torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
ema = torch.nn.Linear(2, 2).requires_grad_(False)
opt = torch.optim.SGD(net.parameters(), lr=.1)
start, log = 0, open("metrics.json", "w")
if os.path.exists("c.pt"):
    c = torch.load("c.pt")
    start = c["e"]
    for p, q in zip(net.parameters(), c["p"]):
        p.data.copy_(q)
for e in range(start, 6):
    g = torch.Generator().manual_seed(e)
    net(torch.randn(8, 4, generator=g)).pow(2).mean().backward()
    opt.step()
    opt.zero_grad()
    for p in ema.parameters():
        p.mul_(.9).add_(.1 * e)
    torch.save({"e": e + 1, "p": list(net.parameters())}, "c.pt")
log.write("done")
"""


def test_two_parts_that_change_no_number_are_both_named_and_a_file_held_open_does_not_matter(script: Script) -> None:
    found = check_resume_script(script(BUFFERS_AND_COPY))
    assert (found.verdict, found.fix_verified) == (Resumed.DIFFERENT, True), found.sentence
    assert "running statistics" in found.cause, found.sentence
    assert "second copy" in found.cause, found.sentence


LATE = """
import os, torch
torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=.1, momentum=.9)
c = {"e": 0}
if os.path.exists("c.pt"):
    c = torch.load("c.pt")
    net.load_state_dict(c["net"])
for e in range(c["e"], 6):
    g = torch.Generator().manual_seed(e)
    net(torch.randn(8, 4, generator=g)).pow(2).mean().backward()
    if "opt" in c and e == c["e"]:
        opt.load_state_dict(c["opt"])
    opt.step()
    opt.zero_grad()
    torch.save({"e": e + 1, "net": net.state_dict(), "opt": opt.state_dict()}, "c.pt")
print("w", net.weight.sum().item())
"""


def test_an_optimizer_that_is_put_back_right_before_its_first_step_is_not_said_to_be_lost(script: Script) -> None:
    found = check_resume_script(script(LATE))
    assert (found.verdict, found.notes) == (Resumed.IDENTICAL, ()), found.sentence


EVALUATED = "print(epoch, evaluate())"
SEEDED_AGAIN = ("    net.eval()\n", "    torch.manual_seed(0)\n    net.eval()\n")
NOT_PUT_BACK = ('    torch.set_rng_state(ckpt["rng"])\n', "")
CACHED = (
    "# DATA\n",
    """if not os.path.exists("noisy.pt"):
    torch.save(Y + 0.1 * torch.randn(240, 1), "noisy.pt")
Y = torch.load("noisy.pt")
Y = Y[torch.randperm(240)]
""",
)
BETWEEN: list[tuple[Edits, str]] = [
    (
        [("# RESUMED", 'print("resumed", evaluate())'), ("# BEFORE SAVING", EVALUATED)],
        "a generator that is drawn from between saving and training (torch: put back as it was saved; then the resumed "
        "program draws from it (torch.randn at train.py:22))",
    ),
    (
        [("# AFTER SAVING", EVALUATED)],
        "a generator that is drawn from between saving and training (torch: put back as it was saved; the uninterrupted "
        "program draws from it before its next step (torch.randn at train.py:22))",
    ),
    (
        [NOT_PUT_BACK, ("# BEFORE SAVING", EVALUATED), SEEDED_AGAIN],
        "a generator that is seeded again and again (torch: train.py:20 gives it the same seed 9 times)",
    ),
    (
        [CACHED, ("# BEFORE SAVING", EVALUATED)],
        "a file that an earlier run made (noisy.pt: train.py:12 looks for it, and goes on otherwise once it is there)",
    ),
]


IN_CI = (0, 2)
"""The others are their relatives."""


@pytest.mark.parametrize(
    ("edits", "cause"),
    [pytest.param(*one, marks=[pytest.mark.long] * (k not in IN_CI)) for k, one in enumerate(BETWEEN)],
)
def test_what_moves_a_generator_between_saving_and_training_is_a_cause_of_its_own(
    script: Script, edits: Edits, cause: str
) -> None:
    found = checked(script, "torch_evaluated.py", edits)
    assert (found.verdict, found.cause, found.fix_verified) == (Resumed.DIFFERENT, cause, True), found.sentence


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([("# BEFORE SAVING", EVALUATED)], id="plain", marks=pytest.mark.long),
        pytest.param([("# BEFORE SAVING", EVALUATED), SEEDED_AGAIN], id="seeded"),
    ],
)
def test_an_evaluation_before_the_saving_is_sound(script: Script, edits: Edits) -> None:
    found = checked(script, "torch_evaluated.py", edits)
    assert (found.verdict, found.cause) == (Resumed.IDENTICAL, ""), found.sentence
