"""Serves the page until Ctrl-C."""

import secrets
import socket
from collections.abc import Callable

from ..errors import UsageError
from .board import Board, Follower
from .following import Asked, Following

ADDRESS = "127.0.0.1"
_HIGHEST_PORT = 65_535
MISSING = "the page takes starlette and uvicorn, and {} is not installed: pip install 'seedwise[web]'"


def serve(asked: Asked, port: int, say: Callable[[str], None]) -> None:
    """Serve the page of some experiments on this machine, until somebody interrupts it.

    Parameters
    ----------
    port
        The port; 0 for one that is free.
    say
        Is told the address.

    Raises
    ------
    UsageError
        The extras `seedwise[web]` are not installed, the port is taken, or there is no such experiment.
    StoreError, MetricError
        The store cannot be read, or experiments have no metric in common.
    KeyboardInterrupt
        After Ctrl-C, when browsers have been told that the page has ended.
    """
    try:
        import uvicorn

        from .app import Answers, application
    except ModuleNotFoundError as error:
        lacking = str(error.name).partition(".")[0]
        if lacking not in ("uvicorn", "starlette"):
            raise
        raise UsageError(MISSING.format(lacking)) from None
    board, token = Board(), secrets.token_urlsafe(24)
    follower = Follower(lambda: Following(asked), board)
    with _listening(port) as listening:
        follower.begin()
        answers = Answers(board, token, follower.folder_of, lambda: server.should_exit)
        server = uvicorn.Server(
            uvicorn.Config(
                application(answers),
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                server_header=False,
                http="h11",
                ws="none",
                loop="asyncio",
                timeout_graceful_shutdown=3,
            )
        )
        say(f"http://{ADDRESS}:{listening.getsockname()[1]}/{token}/")
        try:
            server.run([listening])
        finally:
            follower.end()


def _listening(port: int) -> socket.socket:
    """A socket that only programs on this machine can reach."""
    if not 0 <= port <= _HIGHEST_PORT:
        raise UsageError(f"cannot listen on port {port}: a port is a number up to {_HIGHEST_PORT}")
    try:
        return socket.create_server((ADDRESS, port))
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"cannot listen on port {port}: {why}; name no port, and a free one is taken") from None
