"""`check --resume`: a training that was interrupted against the one that was not; verdicts, causes, lines, bad input."""

import json
import sys
from collections.abc import Callable

import pytest

from seedwise.api.resume import check_resume_script
from seedwise.cli.start import start
from seedwise.determinism.resuming import Resumed
from seedwise.errors import ScriptError

pytest_plugins = ["pytester"]
Script = Callable[..., list[str]]

PLAIN = """
import os, pickle, random
random.seed(0)
total, start = 0.0, 0
if os.path.exists("state.pkl"):
    with open("state.pkl", "rb") as f:
        total, start, state = pickle.load(f)
    random.setstate(state)
for k in range(start, 5):
    total += random.random()
    print("round", k, total)
    with open("state.pkl", "wb") as f:
        pickle.dump((total, k + 1, random.getstate()), f)
"""


def test_a_sound_program_resumes_identically_and_its_folder_is_left_alone(script: Script) -> None:
    command = script(PLAIN)
    found = check_resume_script(command)
    assert (found.verdict, found.cause, found.ok) == (Resumed.IDENTICAL, "", True), found.sentence
    assert (found.saved_at, found.loaded_at, found.checkpoint) == ("train.py:12", "train.py:6", "state.pkl")
    assert check_resume_script(command).ok  # no state.pkl was left in the folder


def test_a_generator_that_is_not_restored_is_named_and_proved(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    command = script(PLAIN.replace("    random.setstate(state)\n", ""))
    assert start(["check", "--resume", "--json", "--", *command]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["cause"]) == ("different", "generator (random)"), found["sentence"]
    assert found["fix_verified"]
    assert "random.setstate" in found["fix"]
    assert (found["saved_at"], found["loaded_at"]) == ("train.py:11", "train.py:6")


NEVER = "print('acc =', 0.5)"
ONCE = "import pickle\npickle.dump(1, open('end.pkl', 'wb'))"
UNSTEADY = PLAIN.replace("random.seed(0)", "")
FAILS = PLAIN.replace("    random.setstate(state)", "    raise KeyError('model')")
OTHER = PLAIN.replace('os.path.exists("state.pkl")', '"--resume-from" in __import__("sys").argv')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        (NEVER, Resumed.NO_CHECKPOINT, "writes no checkpoint"),
        (ONCE, Resumed.NO_CHECKPOINT, "writes end.pkl at train.py:2 once"),
        (UNSTEADY, Resumed.DIFFERENT, "two uninterrupted runs differ already"),
        (FAILS, Resumed.STARTED_ANEW, "KeyError: 'model' when it is started again"),
        (OTHER, Resumed.STARTED_ANEW, "--resume-from state.pkl"),
    ],
)
def test_what_cannot_be_compared_has_a_sentence_of_its_own(
    script: Script, text: str, verdict: Resumed, words: str
) -> None:
    found = check_resume_script(script(text))
    assert found.verdict is verdict, found.sentence
    assert words in found.sentence
    assert not found.ok


LOST = PLAIN.replace("    random.setstate(state)\n", "")
ATOMIC = LOST.replace('open("state.pkl", "wb") as f', 'open("state.pkl.tmp", "wb") as f') + (
    '    os.replace("state.pkl.tmp", "state.pkl")\n'
)
NUMBERED = LOST.replace('"state.pkl"', '"checkpoint-1"')
SILENT = LOST.replace('    print("round", k, total)\n', "")
NOTHING_DONE = PLAIN.replace("k + 1, random.getstate()", "5, random.getstate()")
NO_END = PLAIN + "if start == 0:\n    open('result.txt', 'w').write(str(total))\n    print('converged')\n"
NO_FILE = NO_END.replace("    print('converged')\n", "")
READS_ITS_OWN = (
    PLAIN.replace("range(start, 5)", "range(5)").replace("os.path.exists", "not ")
    + "with open('state.pkl', 'rb') as f:\n    print(pickle.load(f)[0])\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        (ATOMIC, Resumed.DIFFERENT, "generator (random)"),
        (NUMBERED, Resumed.DIFFERENT, "generator (random)"),
        (NOTHING_DONE, Resumed.DIFFERENT, "lines were left to print, and 0 were printed"),
        (NO_END, Resumed.DIFFERENT, "did not print 'converged'"),
        (NO_FILE, Resumed.DIFFERENT, "no file result.txt was written"),
        (READS_ITS_OWN, Resumed.STARTED_ANEW, "no checkpoint was read"),
    ],
)
def test_what_is_left_undone_or_saved_under_any_name_is_seen(
    script: Script, text: str, verdict: Resumed, words: str
) -> None:
    found = check_resume_script(script(text))
    assert found.verdict is verdict, found.sentence
    assert words in found.sentence + str(found.what)


OWN_NAME = "import uuid\nname = uuid.uuid4().hex[:8]\n"
NAMED = OWN_NAME + PLAIN.replace("for k in", "if start == 0:\n    print(f'[{name}] new run')\nfor k in")
NAMED_AND_LOST = NAMED.replace("        total, start, state", "        _, start, state")


@pytest.mark.slow
def test_what_each_run_has_of_its_own_was_not_lost(script: Script) -> None:
    found = check_resume_script(script(NAMED))
    assert found.ok, found.sentence
    found = check_resume_script(script(NAMED_AND_LOST))
    assert "total (" in found.cause, found.sentence
    assert "name" not in " ".join((found.cause, *found.perhaps))


def test_a_program_that_shows_nothing_is_not_said_to_resume(script: Script) -> None:
    with pytest.raises(ScriptError, match="let it print its result"):
        check_resume_script(script(SILENT))


def test_another_command_resumes(script: Script) -> None:
    command = script(OTHER)
    assert check_resume_script(command, resume_with=[*command, "--resume-from"]).ok


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "3"], "--at and --all go with --resume"),
        (["--resume", "--at", "1"], "2 or more"),
        (["--resume", "--at", "3", "--all"], "only one of them"),
        (["--resume", "--measure", "5"], "not together with --resume"),
        (["--resume-with", ""], "takes a command"),
    ],
)
def test_wrong_use(words: list[str], said: str, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["check", *words, "--", sys.executable, "train.py"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_every_checkpoint_and_a_clusters_signal_are_tried(script: Script) -> None:
    found = check_resume_script(script(PLAIN), every=True)
    assert found.ok, found.sentence
    names = [tried.name for tried in found.perturbations]
    assert len(names) == 5  # four checkpoints are followed by another one
    assert sum("SIGTERM" in name for name in names) == 1
    once = check_resume_script(script(PLAIN.replace("range(start, 5)", "range(start + (start == 3), 5)")), every=True)
    assert once.verdict is Resumed.DIFFERENT, once.sentence  # the third checkpoint alone is not gone on from rightly


TESTS = """
import os, pickle, random

def train(seed, restored=True):
    random.seed(seed)
    total, start = 0.0, 0
    if os.path.exists("state.pkl"):
        with open("state.pkl", "rb") as f:
            total, start, state = pickle.load(f)
        if restored:
            random.setstate(state)
    for k in range(start, 5):
        total += random.random()
        with open("state.pkl", "wb") as f:
            pickle.dump((total, k + 1, random.getstate()), f)
    return {"total": total}

def test_sound(assert_resumes):
    assert assert_resumes(train, seed=3).ok

def test_lost(assert_resumes):
    assert_resumes(train, seed=3, restored=False)
"""


@pytest.mark.slow
def test_a_function_is_asserted_to_resume_in_pytest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*not restored: generator (random)*random.setstate*"])
