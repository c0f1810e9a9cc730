"""The live page in a browser: it grows while runs go on, keeps what its reader does, and asks nobody but its server."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ..web.stored import Sweep
from .browser import browser, opened
from .test_page_in_browser import serious

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SCRIPT = r"""
import random, socket, sys
seed = 42
random.seed(seed)
luck = random.gauss(0, 0.02)
for epoch in range(12):
    print(f"epoch {epoch} loss = {1 / (1 + epoch) + luck:.6f} acc = {1 - 1 / (1 + epoch) + luck:.6f}", flush=True)
    if epoch == 5:
        print("<script>hacked=1</script><img src=x onerror=hacked=1>\u202e javascript:hacked=1", flush=True)
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as gate:
            gate.sendall(b"%d\n" % seed)
            gate.recv(1)
if seed == 4:
    raise ValueError("<img src=x onerror=hacked=1>")
"""
DOTS = "document.querySelectorAll('#c-dots svg .mark-symbol path[aria-roledescription=\"point\"]').length"


class Going:
    """A command that runs seeds; each waits in its middle until it is let go."""

    def __init__(self, place: Path, n: int) -> None:
        self.waiting: dict[int, socket.socket] = {}
        self.gate = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._gather, daemon=True).start()
        (place / "train.py").write_text(SCRIPT)
        script = (sys.executable, "train.py", str(self.gate.getsockname()[1]))
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "seedwise",
                "run",
                "-n",
                str(n),
                "-j",
                "1",
                "--fresh",
                "--name",
                "base",
                "--",
                *script,
            ],
            cwd=place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _gather(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self.gate.accept()
                self.waiting[int(came.makefile().readline())] = came

    def let(self, *seeds: int) -> None:
        for seed in seeds:
            wait_for(lambda seed=seed: seed in self.waiting)
            self.waiting.pop(seed).close()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.gate.close()


@contextmanager
def served(place: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the live page, and the command that serves it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seedwise", "watch", "base", "--web"],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", line)
    assert found, process.stderr.read() if process.stderr else line
    try:
        yield found[0], process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.fixture
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


def test_the_page_grows_while_runs_go_on_and_ends_without_them(
    tmp_path_factory: pytest.TempPathFactory, chromium: Any
) -> None:
    place = tmp_path_factory.mktemp("project")
    going = Going(place, 6)
    try:
        going.let(1, 2)
        wait_for(lambda: "2 finished" in said(place))
        with served(place) as (address, server), opened(chromium, address, 1200) as found:
            page = found.page
            wait_for(lambda: page.evaluate(f"{DOTS} === 3"))  # two seeds and their mean
            assert "seed 3" in page.locator("#going").inner_text()
            log_of_a_run_is_followed(page)
            assert page.evaluate("typeof hacked") == "undefined"
            version = page.evaluate("document.body.dataset.version")
            page.locator("#metric").select_option(label="loss")
            page.locator("h2", has_text="Numbers").scroll_into_view_if_needed()
            going.let(3)
            wait_for(
                lambda: page.evaluate("document.querySelector('header .sentence').textContent.includes('over 3 of 6')")
            )
            assert page.evaluate("document.body.dataset.version") != version
            page.locator("#c-dots").scroll_into_view_if_needed()
            wait_for(lambda: page.evaluate(f"{DOTS} === 4"))
            assert page.locator("#metric").input_value() == str(
                page.evaluate("seedwisePage.data.metrics.indexOf('loss')")
            )
            assert "loss" in page.locator("#f-dots figcaption").inner_text()
            the_reader_holds_it_still(page, going)
            wait_for(
                lambda: page.evaluate("document.querySelector('#standing').textContent.includes('1 of them failed')")
            )
            page.wait_for_selector("h3:has-text('Failures')")
            assert not serious(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 1200
            assert all(url.startswith(address) for url in found.requests)
            assert (
                found.said == []
            )  # before the end: a question that is under way then is refused, and Chromium says so
            server.send_signal(signal.SIGINT)
            page.wait_for_selector("body[data-over]")
            assert "ended" in page.locator("#line").inner_text()
        assert server.returncode == 130  # interrupted twice, as impatient people do
        assert going.process.poll() is None
        going.let(5, 6)
        assert going.process.wait(60) == 3  # one seed failed, and all the others are there
        assert "5 finished, 1 failed" in said(place)
    finally:
        going.end()


def said(place: Path) -> str:
    """What the store says of the runs."""
    done = subprocess.run([sys.executable, "-c", STANDING], cwd=place, capture_output=True, text=True, check=False)
    return done.stdout


STANDING = """
import seedwise as sw
from seedwise.reports.standing import line_of_progress
print(line_of_progress(sw.load("base"), {}))
"""


def wait_for(holds: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def log_of_a_run_is_followed(page: Any) -> None:
    page.locator("#going summary").first.click()
    page.wait_for_selector("#going pre:has-text('epoch 5')")
    text = page.locator("#going pre").first.inner_text()
    assert "<script>hacked=1</script><img src=x onerror=hacked=1>� javascript:hacked=1" in text


def the_reader_holds_it_still(page: Any, going: Going) -> None:
    before = page.locator("#standing").inner_text()
    page.locator("#hold").check()
    going.let(4)
    page.wait_for_timeout(2500)
    assert page.locator("#standing").inner_text() == before
    page.locator("#hold").uncheck()


def test_on_a_telephone_in_the_dark_metrics_of_any_name_come_as_text(
    tmp_path_factory: pytest.TempPathFactory, chromium: Any
) -> None:
    place = tmp_path_factory.mktemp("project")
    names = ("__proto__", "toString", "<img src=x onerror=hacked=1>")
    sweep = Sweep(place)
    sweep.want(1, 2, 3, 4)
    for seed in (1, 2):
        sweep.claim(seed)
        sweep.finish(seed, seed / 10, names)
    with served(place) as (address, _), opened(chromium, address, 360, "dark") as found:
        page = found.page
        wait_for(lambda: page.evaluate(f"{DOTS} === 3"))
        for seed in (3, 4):
            sweep.claim(seed, "x" * 500)
            sweep.finish(seed, seed / 10, names)
        wait_for(lambda: page.evaluate(f"{DOTS} === 5"))
        assert page.locator("#metric option").all_inner_texts() == list(names)
        for k in range(3):
            page.locator("#metric").select_option(index=k)
            wait_for(lambda k=k: names[k] in page.locator("#f-dots figcaption").inner_text())
        page.locator(".runs button", has_text="4").first.click()
        page.locator(".run summary").click()
        page.wait_for_selector(".run pre:has-text('xxx')")
        assert page.evaluate("Object.keys(Object.prototype).length") == 0
        assert page.evaluate("typeof hacked") == "undefined"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert not serious(page)
        assert found.said == []
