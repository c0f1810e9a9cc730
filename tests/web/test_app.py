"""What the server of the live page tells, to whom, and that nothing of a run becomes more than text."""

import json
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import seedwise as sw
from seedwise.web import board as boards
from seedwise.web.app import Answers, application
from seedwise.web.board import Board, Follower
from seedwise.web.following import Asked, Following

from .stored import Sweep

TOKEN = "the-token"
HOSTILE = "<script>hacked=1</script>\"'><img src=x onerror=hacked=1>\x1b[31m\u202ejavascript:hacked=1"


class Served:
    """A sweep that is served, with the server's parts. `step` does what the following thread does at every look."""

    def __init__(self, sweep: Sweep, *names: str) -> None:
        self.sweep, self.board, self.over = sweep, Board(), False
        self.following = Following(Asked(names or ("base",)))
        self.follower = Follower(lambda: self.following, self.board)
        self.follower._following = self.following
        self.board.come()
        self.step()
        answers = Answers(self.board, TOKEN, self.follower.folder_of, lambda: self.over)
        self.client = TestClient(application(answers), base_url="http://127.0.0.1:8000")

    def step(self) -> None:
        self.follower._due = 0.0
        self.follower._step(self.following)

    def get(self, path: str = "", token: str = TOKEN, **headers: str) -> Any:
        return self.client.get(f"/{token}/{path}", headers=headers)

    def told(self, since: int, **headers: str) -> str:
        """What is told to a browser that has this version, in a page that ends at once."""
        ends = iter([False])
        answers = Answers(self.board, TOKEN, self.follower.folder_of, lambda: next(ends, True))
        with TestClient(application(answers), base_url="http://127.0.0.1") as client:
            return client.get(f"/{TOKEN}/events?from={since}", headers=headers).text

    def events(self, since: int, **headers: str) -> list[tuple[str, Any]]:
        """The same, by its kinds."""
        text = self.told(since, **headers)
        return [(kind, json.loads(data)) for kind, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)]


def served_in(folder: Path) -> Served:
    """Three runs that finished, one that failed, one that goes on, one that waits; all of them print and are called what is hostile."""
    sweep = Sweep(folder, command=("python", "train.py", HOSTILE.replace("\x1b", "")))
    sweep.want(*range(1, 7))
    for seed in (1, 2, 3):
        sweep.ran(seed, seed / 10, f"{HOSTILE}\n")
    sweep.ran(4, None, HOSTILE)
    sweep.claim(5, f"epoch 1\n{HOSTILE}")
    return Served(sweep)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedwise.web.app._LOOK", 0.01)


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    found = served_in(project)
    yield found
    found.following.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for tests that only ask."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SEEDWISE_STORE", raising=False)
        found = served_in(folder)
    yield found
    found.following.close()


def test_who_does_not_know_the_token_learns_nothing(still: Served) -> None:
    for path in ("", "events?from=1", "log/0/1"):
        assert still.get(path).status_code == 200 if path != "events?from=1" else True
        for wrong in ("", "the-toke", "the-token2", "THE-TOKEN", "%00", "é", ".."):
            answer = still.get(path, wrong)
            assert answer.status_code == 404
            assert "base" not in answer.text
    assert still.client.get("/").status_code == 404
    assert still.client.get(f"/{TOKEN}").status_code == 404


def test_a_page_elsewhere_that_calls_itself_this_machine_is_refused(still: Served) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "10.0.0.1"):
        assert still.get(Host=host).status_code == 400
    for host in ("localhost:9000", "127.0.0.1", "LOCALHOST"):  # a tunnel has a port of its own
        assert still.get(Host=host).status_code == 200


def test_everything_reads_and_nothing_can_be_done(still: Served) -> None:
    for path in ("", "events", "log/0/1"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert still.client.request(method, f"/{TOKEN}/{path}").status_code == 405


def test_every_answer_says_what_a_browser_may_do_with_it(still: Served) -> None:
    for answer in (still.get(), still.get("log/0/1"), still.get("nothing"), still.get(token="wrong")):
        policy = answer.headers["content-security-policy"]
        for said in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert said in policy
        assert "unsafe-eval" not in policy
        assert re.search(r"script-src( 'sha256-[\w+/=]+'){3};", policy)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_the_page_is_that_of_the_report_with_its_numbers(served: Served) -> None:
    text = served.get().text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    dots = data["figures"]["dots"]["shown"]["acc"]["data"]
    summary = sw.summarize(sw.load("base").scores("acc"))
    assert dots["dots"]["value"] == list(sw.load("base").scores("acc").values)
    assert (dots["means"]["mean"], dots["means"]["low"] + dots["means"]["high"]) == (
        [summary.mean],
        list(summary.interval or ()),
    )
    assert summary.mean is not None
    assert "log" not in data["parts"][0]["runs"]
    assert "Running: seed 5; waiting: seed 6." in text


def test_nothing_of_a_run_becomes_more_than_text(served: Served) -> None:
    text = served.get().text
    outside = re.sub(r"<script>(?!hacked).*?</script>|<script type=.*?</script>", "", text, flags=re.DOTALL)
    assert served.board.shown is not None
    pieces = "".join(served.board.shown.state["pieces"].values())
    served.sweep.finish(5, 0.5)
    served.step()
    told = served.told(1) + served.get("log/0/1").text
    assert all("hacked" in of for of in (outside, pieces, told))
    for of in (outside, pieces, told):
        assert "<img" not in of
        assert "<script>hacked" not in of
        assert "\x1b" not in of
        assert "\u202e" not in of
    assert served.get("log/0/1").headers["content-type"] == "application/json"
    assert "<" not in told


def test_a_browser_is_told_what_goes_on_and_only_what_changed(served: Served) -> None:
    first = served.events(1)
    assert [kind for kind, _ in first] == ["now", "over"]
    now = first[0][1]
    assert now["said"].startswith("4 of 6 seeds ended, 1 of them failed, 1 running, 1 waiting; about ")
    (part, seed, _, said), *others = now["going"]
    assert (part, seed, others) == (0, 5, [])
    assert "epoch" in said or "hacked" in said
    served.step()
    assert served.board.shown.version == 1  # type: ignore[union-attr]
    served.sweep.finish(5, 0.5)
    served.step()
    kinds = served.events(1)
    assert [kind for kind, _ in kinds] == ["page", "now", "over"]
    told = kinds[0][1]
    assert told["version"] == 2
    place = ["data", "figures", "dots", "shown", "acc", "data", "dots", "value"]
    assert [what for at, *what in told["changes"] if at == place] == [["cut", 3, 0, [0.5]]]
    assert served.events(1, **{"Last-Event-ID": "2"})[0][0] == "now"
    assert [kind for kind, _ in served.events(9)] == ["reload"]


def test_without_a_browser_no_page_is_made(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.board.leave()
    served.sweep.finish(5, 0.5)
    monkeypatch.setattr(Following, "page", lambda self: pytest.fail("made for nobody"))
    monkeypatch.setattr(Following, "now", lambda self: pytest.fail("looked up for nobody"))
    served.step()
    served.board.come()
    monkeypatch.undo()
    served.step()
    assert served.board.shown.version == 2  # type: ignore[union-attr]


def test_a_page_is_not_made_more_often_than_its_share_of_the_time_allows(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.follower._ready.set()
    times = iter([100.0, 103.0])
    monkeypatch.setattr(boards.time, "thread_time", lambda: next(times))
    monkeypatch.setattr(boards.time, "monotonic", lambda: 1000.0)
    served.follower._make(served.following)
    assert served.follower._due == 1030.0


@pytest.mark.slow
def test_a_browser_that_has_missed_too_much_loads_the_page_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.board, "_steps", deque(maxlen=3))
    for k in range(5):
        served.board.put(changed(served.board, k))
    assert served.board.since(1) is None
    assert served.board.since(2) is None
    assert len(served.board.since(3) or ()) == 3
    assert served.board.since(6) == []


def changed(board: Board, k: int) -> Any:
    from dataclasses import replace

    assert board.shown is not None
    return replace(board.shown.page, notes=(str(k),))


def test_what_is_no_seed_of_a_run_is_no_log(still: Served) -> None:
    for path in (
        *("log/0/7", "log/1/1", "log/-1/1", "log/0/-1", "log/0/1.0", "log/0/1e0", "log/0/٣", "log/0/ 1", "log/0/1/x"),
        *("log/0/..%2f..%2f", "log/%2e%2e/%2e%2e", "log/0/..%5c", "log/0/%00", "log/0/1%00", "log//1", "log/0/"),
        *("../etc/passwd", "..%2f..%2fetc%2fpasswd", "stdout", "log/0/" + "9" * 5000, "events?from=-1", "events"),
    ):
        assert still.get(path).status_code == 404, path


def test_the_end_of_any_log_is_told_again_only_if_it_grew(served: Served) -> None:
    told = served.get("log/0/5").json()
    assert told["logs"][0]["text"].startswith("epoch 1\n<script>")
    assert served.get(f"log/0/5?seen={told['seen']}").status_code == 204
    folder = served.follower.folder_of(0, 5)
    assert folder is not None
    (folder / "stdout").write_text("".join(f"line {k}\n" for k in range(3000)))
    again = served.get(f"log/0/5?seen={told['seen']}").json()
    assert again["logs"][0]["text"].split("\n")[-1] == "line 2999"
    assert not again["logs"][0]["whole"]
    assert served.get("log/0/6").status_code == 404  # not begun


def test_a_log_is_a_file_of_its_run_and_no_link_or_pipe(served: Served, project: Path) -> None:
    (project / "secret").write_text("secret")
    folder = served.follower.folder_of(0, 5)
    assert folder is not None
    for name, make in (("stdout", lambda path: path.symlink_to(project / "secret")), ("stderr", os.mkfifo)):
        (folder / name).unlink()
        make(folder / name)
    assert served.get("log/0/5").json()["logs"] == []


def test_a_store_that_cannot_be_read_is_said_and_not_the_end(served: Served, project: Path) -> None:
    served.sweep.store.drop_experiment(served.sweep.experiment.id)
    follower = Follower(lambda: served.following, served.board)
    follower._look(served.following)
    assert "no experiment" in served.events(1)[0][1]["said"]


@pytest.mark.slow
def test_several_experiments_are_compared_while_they_run(project: Path) -> None:
    for name in ("base", "new"):
        Sweep(project, name).want(1, 2, 3)
    base, new = Sweep(project, "base"), Sweep(project, "new")
    found = Served(base, "new", "base")
    assert found.board.shown is not None
    assert found.board.shown.page.metrics == ()
    for seed in (1, 2, 3):
        base.ran(seed, seed / 10)
        new.ran(seed, seed / 10 + 0.05 * seed)
    found.step()
    comparison = sw.compare(sw.load("new").scores("acc"), sw.load("base").scores("acc"), names=("new", "base"), rng=0)
    assert found.board.shown.page.sentences == (comparison.sentence,)
    assert found.events(1)[-1][0] != "reload"
    found.following.close()


@pytest.mark.slow
def test_an_experiment_of_which_nothing_has_finished_takes_no_picture_from_the_others(project: Path) -> None:
    base, new = Sweep(project, "base"), Sweep(project, "new")
    new.want(1, 2)
    for seed in (1, 2, 3):
        base.ran(seed, seed / 10)
    found = Served(base, "new", "base")
    assert found.board.shown is not None
    page = found.board.shown.page
    assert page.metrics == ("acc",)
    assert [part.name for part in page.parts] == ["new", "base"]
    data = found.board.shown.state["data"]
    assert data["figures"]["dots"]["shown"]["acc"]["data"]["dots"]["seed"] == [1, 2, 3]
    assert [part["labels"] for part in data["parts"]] == [{}, {"acc": "base (n = 3)"}]
    found.following.close()


@pytest.mark.slow
def test_settings_of_a_family_join_the_page_when_they_begin(project: Path) -> None:
    first = Sweep(project, "train lr=0.1")
    first.ran(1, 0.1)
    first.ran(2, 0.2)
    found = Served(first, "train")
    second = Sweep(project, "train lr=0.2")
    second.ran(1, 0.3)
    second.ran(2, 0.4)
    found.step()  # too early to look for new settings
    found.following._expanded = 0.0
    found.step()  # nothing was written since, and yet there is one
    assert found.board.shown is not None
    assert [part.name for part in found.board.shown.page.parts] == ["train lr=0.1", "train lr=0.2"]
    assert [kind for kind, _ in found.events(1)] == ["reload"]
    assert found.follower.folder_of(1, 2) == second.store.run_folder(second.experiment, 2, 1)
    found.following.close()


def test_a_metric_that_no_run_reports_is_named(project: Path) -> None:
    sweep = Sweep(project)
    sweep.want(1, 2)
    following = Following(Asked(("base",), metric=("nosuch",)))
    lacking = "No run that has finished reports nosuch, the metric that was asked for."
    following.look()
    assert lacking not in following.page().notes
    sweep.ran(1, 0.5, "")
    following.look()
    assert lacking in following.page().notes


@pytest.mark.slow
def test_where_there_can_be_no_page_the_old_one_stays_and_says_why(project: Path) -> None:
    base, new = Sweep(project, "base"), Sweep(project, "new")
    base.ran(1, 0.1)
    found = Served(base, "new", "base")
    new.claim(1)
    new.finish(1, 0.2, metrics=("other",))
    found.step()
    said = found.events(1)[0][1]["said"]
    assert "2 of 2 seeds ended" in said
    assert "no metric is in every experiment" in said
    found.step()
    assert "no metric is in every experiment" in found.board.now.said
    new.claim(2)
    new.finish(2, 0.2, metrics=("other", "acc"))
    new.store.drop_run(new.experiment.id, 1)
    found.step()
    assert "stand still" not in found.board.now.said
    found.following.close()


def test_a_fault_is_said_on_the_page(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Following, "now", lambda self: 1 / 0)
    served.follower._look(served.following)
    assert "fault in Seedwise itself: ZeroDivisionError" in served.events(1)[0][1]["said"]


def test_a_browser_that_takes_nothing_packed_is_told_the_same(still: Served) -> None:
    plain = still.told(1, **{"Accept-Encoding": "identity"})
    assert plain == still.told(1)
    assert "event: now" in plain
