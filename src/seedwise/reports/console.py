"""A rich console whose reader may go away."""

from rich.console import Console


class PatientConsole(Console):
    """Raises BrokenPipeError where nobody reads any more. Rich would end the process, with the exit code that says no."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
