"""Chromium for the tests of pages. Where it is missing, tests fail and say what to install."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"


def chromium() -> str:
    """The path of the browser."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found is not None, "these tests open pages in Chromium: apt-get install chromium"
    return found


def axe() -> str:
    """The script that looks for what people with disabilities cannot use."""
    assert AXE.is_file(), f"{AXE} is missing: `make test-slow` gets axe-core from npm (apt-get install npm)"
    return AXE.read_text(encoding="utf-8")


@dataclass
class Opened:
    """A page in the browser, and what it asked for and said."""

    page: Any
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator[Any]:
    """A running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def opened(started: Any, path: Path | str, width: int = 1600, scheme: str = "light") -> Iterator[Opened]:
    """The page of a file or of an address, drawn."""
    page = started.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = Opened(page)
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (found.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: found.requests.append(request.url))
    page.goto(path if isinstance(path, str) else path.resolve().as_uri())
    page.wait_for_selector("body[data-drawn]", timeout=20_000)
    yield found
    page.close()
