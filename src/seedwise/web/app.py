"""What the server answers: the page, what changes, and the end of a log; to those who know the token, on this machine."""

import asyncio
import re
import secrets
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..reports.html.logs import end_of
from ..reports.html.writing import as_json, policy
from ..words import printable
from .board import Board

_LOOK = 0.5
_SILENCE = 15.0
"""After so many seconds without news a comment is sent, so that a browser that is gone is noticed."""
_LINES = 200
_QUICKLY = 4
"""How much pains are taken to pack."""
_SEED = re.compile(r"\d{1,20}", re.ASCII)
_Answer = Callable[[Request], Awaitable[Response]]
_OVER = "The page was ended where it was started; the runs are not touched by that."


class Answers:
    """The answers to what a browser asks."""

    def __init__(
        self,
        board: Board,
        token: str,
        folder_of: Callable[[int, int], Path | None],
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._board, self._token, self._folder_of, self._is_over = board, token, folder_of, is_over

    def routes(self) -> list[Route]:
        """What can be asked. Everything reads, and nothing else can be done."""
        return [
            Route("/{token}/", self._known(self._page), methods=["GET"]),
            Route("/{token}/events", self._known(self._events), methods=["GET"]),
            Route("/{token}/log/{part}/{seed}", self._known(self._log), methods=["GET"]),
        ]

    def _known(self, answer: _Answer) -> _Answer:
        async def checked(request: Request) -> Response:
            said = request.path_params["token"].encode("utf-8", "replace")
            if not secrets.compare_digest(said, self._token.encode()):
                return _not_found()
            return await answer(request)

        return checked

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(self._board.html))

    async def _events(self, request: Request) -> Response:
        said = request.headers.get("last-event-id") or request.query_params.get("from", "")
        if not _SEED.fullmatch(said):
            return _not_found()
        told = self._told(int(said))
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return StreamingResponse(told, media_type="text/event-stream")
        return StreamingResponse(_packed(told), headers={"content-encoding": "gzip"}, media_type="text/event-stream")

    async def _told(self, version: int) -> AsyncGenerator[str, None]:
        """Events: `now`, `page` with what changed, `reload` where that is not known, `over` at the end."""
        board, now, silent = self._board, None, 0.0
        board.come()
        try:
            while not self._is_over():
                texts = []
                steps = board.since(version)
                if steps is None:
                    yield "event: reload\ndata: {}\n\n"
                    return
                for text in steps:
                    version += 1
                    texts.append(f"id: {version}\nevent: page\ndata: {text}\n\n")
                if board.now is not now:
                    now = board.now
                    texts.append(f"event: now\ndata: {as_json(now.as_dict())}\n\n")
                silent = 0.0 if texts else silent + _LOOK
                if silent >= _SILENCE:
                    texts, silent = [":\n\n"], 0.0
                if texts:
                    yield "".join(texts)
                await asyncio.sleep(_LOOK)
            yield f"event: over\ndata: {as_json({'said': _OVER})}\n\n"
        finally:
            board.leave()

    async def _log(self, request: Request) -> Response:
        part, seed = (request.path_params[name] for name in ("part", "seed"))
        if not _SEED.fullmatch(part) or not _SEED.fullmatch(seed):
            return _not_found()
        folder = self._folder_of(int(part), int(seed))
        if folder is None:
            return _not_found()
        seen = await run_in_threadpool(_size_of, folder)
        if seen == request.query_params.get("seen"):
            return Response(status_code=204)
        logs = await run_in_threadpool(end_of, str(folder), _LINES)
        told = [
            {"title": log.title, "text": "\n".join(map(printable, log.text.split("\n"))), "whole": log.whole}
            for log in logs
        ]
        return Response(as_json({"seen": seen, "logs": told}), media_type="application/json")


async def _packed(texts: AsyncGenerator[str, None]) -> AsyncIterator[bytes]:
    """The same as gzip, each text so that it can be read at once."""
    packer = zlib.compressobj(_QUICKLY, zlib.DEFLATED, 31)
    async with aclosing(texts):
        async for text in texts:
            yield packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


def _not_found() -> Response:
    return PlainTextResponse("There is nothing here. The whole address stands where `seedwise watch` was typed.", 404)


def _size_of(folder: Path) -> str:
    """Something that is another text after a run has printed more."""
    sizes = []
    for name in ("stdout", "stderr"):
        try:
            info = (folder / name).lstat()
        except (OSError, ValueError):
            sizes.append("0")
            continue
        sizes.append(f"{info.st_size}.{info.st_mtime_ns}")
    return "-".join(sizes)


class Headers:
    """Puts on every answer what a browser may do with it."""

    def __init__(self, app: ASGIApp, allowed: str) -> None:
        self._app = app
        said = {
            "content-security-policy": f"{allowed}; frame-ancestors 'none'",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        }
        self._said = [(name.encode(), value.encode()) for name, value in said.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._said]
            await send(message)

        await self._app(scope, receive, with_headers)


def application(answers: Answers) -> Starlette:
    """The application. Requests by another name than this machine's own are refused: a page elsewhere could give itself one.

    Raises UsageError where the extra `seedwise[report]` is not installed.
    """
    middleware = [
        Middleware(Headers, allowed=policy(live=True)),
        Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
        Middleware(GZipMiddleware, compresslevel=_QUICKLY),
    ]
    made = Starlette(routes=answers.routes(), middleware=middleware)
    made.router.redirect_slashes = False
    return made
