"""`seedwise diagnose`."""

from typing import Annotated

from cyclopts import Parameter

from . import run_options as opt
from .app import AS_TEXT, Shown, app
from .groups import DECIDING, HOW, SETTINGS
from .printing import deliver
from .which_seeds import Which

_SEEDS = 5


@app.command(group=DECIDING)
def diagnose(
    model: Annotated[str, Parameter(help="FILE.py:FUNCTION that makes the network, or describes a training.")],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(
            group=SETTINGS,
            help="FILE.py:NAME that gives inputs and targets (and those to test), or FILE.npz (default: `data` of the same file).",
        ),
    ] = None,
    set: opt.Settings = None,
    loss: Annotated[
        str | None,
        Parameter(
            group=SETTINGS,
            help="A loss of torch, such as cross_entropy or mse, or FILE.py:NAME (default: by the targets).",
        ),
    ] = None,
    optimizer: Annotated[
        str | None, Parameter(group=SETTINGS, help="An optimizer of torch, or FILE.py:NAME (default: adam).")
    ] = None,
    lr: Annotated[float | None, Parameter(group=SETTINGS, help="Its rate of learning (default: torch's).")] = None,
    epochs: Annotated[
        int | None, Parameter(group=SETTINGS, help="How long each network is trained (default: 20).")
    ] = None,
    batch_size: Annotated[int | None, Parameter(group=SETTINGS, help="Examples in a batch (default: 32).")] = None,
    n: opt.Number = None,
    seeds: opt.Seeds = None,
    threads: Annotated[int, Parameter(group=HOW, help="Threads of torch.")] = 1,
    shown: Shown = AS_TEXT,
) -> int:
    """What do the starting values do to a network? It is trained under a few seeds, and looked into.

    seedwise diagnose net.py:build --data net.py:data --set init=he

    build is a class or a function that gives a torch network; or one that describes a whole training, as for run
    --batched.
    """
    from ..api.diagnose_file import Asked, diagnose_file
    from ..errors import UsageError
    from ..reports.diagnosis import page_of_diagnosis
    from ..reports.live import showing
    from ..reports.page import Line
    from ..words import printable
    from .run import with_settings

    shown.check()
    for name, value in (("--epochs", epochs), ("--batch-size", batch_size), ("--threads", threads)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is 1 or more; got {value}")
    which = Which(_SEEDS if n is None and seeds is None else n, seeds, None)
    chosen = which.chosen((), as_is=False, until_margin=False, against=False)
    words = with_settings((model,), set) if set else (model,)
    asked = Asked(words, chosen, data, loss, optimizer, lr, epochs, batch_size, threads)
    with showing(quiet=False) as live:
        found, how = diagnose_file(asked, live)
    deliver([*page_of_diagnosis(found), Line(printable(how))], {**found.as_dict(), "training": how}, shown)
    return 0
