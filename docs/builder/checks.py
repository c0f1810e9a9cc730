"""What Sphinx does not see: built pages that lead nowhere, or that would load something from elsewhere."""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {
    ("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("source", "src"), ("video", "src"),
    ("audio", "src"), ("embed", "src"), ("object", "data"), ("input", "src"), ("use", "href"), ("image", "href"),
}  # fmt: skip
_LINKS_THAT_LOAD = re.compile(r"stylesheet|icon|preload|prefetch|preconnect|manifest|modulepreload")


class _Page(HTMLParser):
    """The places that a page names, by whether it loads them or leads to them, and its own anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.leads_to: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        for name, value in given.items():
            if (tag, name) in _LOADED or (
                tag == "link" and name == "href" and _LINKS_THAT_LOAD.search(given.get("rel", ""))
            ):
                self.loaded.append(value)
            elif tag == "a" and name == "href":
                self.leads_to.append(value)


def faults(site: Path) -> Sequence[str]:
    """A sentence for each link of a built site that leads nowhere, and for each thing that is loaded from elsewhere."""
    pages = {path.resolve(): _read(path) for path in site.rglob("*.html") if path.name != "report.html"}
    found = [fault for path, page in sorted(pages.items()) for fault in _of_page(path, page, pages, site.resolve())]
    for style in sorted(site.rglob("*.css")):
        text = style.read_text(encoding="utf-8")
        for place in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s;]+)", text):
            if _elsewhere(place):
                found.append(f"{style.relative_to(site)} loads {place}")
    return found


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _of_page(path: Path, page: _Page, pages: dict[Path, _Page], site: Path) -> Iterator[str]:
    name = path.relative_to(site)
    for place in page.loaded:
        if _elsewhere(place):
            yield f"{name} loads {place}"
        elif not place.startswith("data:") and not _target(path, place).exists():
            yield f"{name} loads {place}, which is not there"
    for place in page.leads_to:
        if urlsplit(place).scheme in ("http", "https", "mailto"):
            continue
        target, anchor = _target(path, place), unquote(urlsplit(place).fragment)
        if not target.exists():
            yield f"{name} leads to {place}, which is not there"
        elif anchor and target in pages and anchor not in pages[target].anchors:
            yield f"{name} leads to {place}, and there is no such place on that page"


def _target(path: Path, place: str) -> Path:
    there = unquote(urlsplit(place).path)
    return (path.parent / there).resolve() if there else path


def _elsewhere(place: str) -> bool:
    return urlsplit(place).scheme not in ("", "data") or place.startswith("//")
