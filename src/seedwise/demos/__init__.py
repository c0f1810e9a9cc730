"""The experiments that this grew from."""


def run_demo(name: str | None, *, data: str | None, n: int) -> int:
    return 0
