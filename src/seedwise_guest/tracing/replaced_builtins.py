"""The object that takes the place of a builtin function while it is watched."""

from __future__ import annotations

from typing import Any, Callable


class StandIn:
    """Stands in for a builtin function.

    Like a builtin, it does not become a method when a class keeps it as an attribute.

    A call goes to `own`. There, the caller's frame is two frames up.
    """

    def __init__(self, wrapped: Callable[..., Any], own: Callable[..., Any]) -> None:
        self.wrapped, self._own = wrapped, own
        self.__name__ = getattr(wrapped, "__name__", "")
        self.__qualname__ = getattr(wrapped, "__qualname__", self.__name__)
        self.__module__ = getattr(wrapped, "__module__", None) or "builtins"
        self.__doc__ = wrapped.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._own(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by name, as the builtin is

    def __eq__(self, other: object) -> bool:
        return self is other or other == self.wrapped  # `os.scandir in os.supports_fd`

    def __hash__(self) -> int:
        return hash(self.wrapped)

    def __repr__(self) -> str:
        return repr(self.wrapped)
