"""`seedwise plan`."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from .app import Json, MetricOption, StoreOption, app, refuse
from .groups import DECIDING
from .printing import print_json, print_page
from .sides import shared_metrics, side_of

if TYPE_CHECKING:
    from ..decisions import Plan

_ALONE = "--from-components goes with --margin"


def _plan_sources(
    source: str, margin: float | None, level: float, metric: list[str] | None, store: str | None, as_json: bool
) -> int:
    """How many runs, and which sources to vary in them."""
    from ..api.plan_sources import plan_sources
    from ..errors import UsageError
    from ..reports.plan_sources import page_of_plan

    if margin is None:
        raise UsageError("--from-components needs the margin that the mean shall have: --margin 0.01")
    if metric is not None and len(metric) > 1:
        raise UsageError("--from-components plans for one --metric")
    found = plan_sources(source, margin, level=level, metric=metric[0] if metric else None, store=store)
    if as_json:
        print_json(found.as_dict())
    else:
        print_page(page_of_plan(found))
    return 0


@app.command(group=DECIDING)
def plan(
    *,
    effect: Annotated[float | None, Parameter(help="The difference that matters, in the metric's units.")] = None,
    sd: Annotated[float | None, Parameter(help="SD between seeds.")] = None,
    pilot: Annotated[str | None, Parameter(help="An experiment or file to take the SD from.")] = None,
    base: Annotated[str | None, Parameter(help="The other side of the pilot.")] = None,
    from_components: Annotated[
        str | None,
        Parameter(help="With --margin: a decomposition by its name, or a file that `decompose -o FILE.json` wrote."),
    ] = None,
    metric: MetricOption = None,
    n: Annotated[int | None, Parameter(name=["-n"], help="Seeds that there are (each): what could they show?")] = None,
    power: Annotated[float, Parameter(help="Chance of showing the difference.")] = 0.8,
    alpha: Annotated[float, Parameter(help="Two-sided error.")] = 0.05,
    margin: Annotated[float | None, Parameter(help="The number after ± that a mean shall have.")] = None,
    probability: Annotated[float | None, Parameter(help="P(new better) that shall be shown, such as 0.75.")] = None,
    paired: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Differences under the same seeds; --sd is theirs.")
    ] = False,
    one: Annotated[bool, Parameter(negative=(), show_default=False, help="One group, against a number.")] = False,
    explain: Annotated[bool, Parameter(negative=(), show_default=False, help="Say what each number means.")] = False,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """How many seeds? From an effect and an SD, from a pilot, or from variance components.

    seedwise plan --from-components train --margin 0.01
    """
    from ..api.plan import plan as make
    from ..errors import UsageError

    if paired and one:
        raise UsageError("--paired or --one, not both")
    if from_components is not None:
        refuse({"--effect": effect, "--sd": sd, "--pilot": pilot, "--base": base, "-n": n}, _ALONE)
        refuse({"--probability": probability, "--paired": paired, "--one": one, "--explain": explain}, _ALONE)
        return _plan_sources(from_components, margin, 1 - alpha, metric, store, json)
    if pilot is None:
        refuse({"--base": base, "--metric": metric, "--store": store}, "it goes with --pilot")
    sides = [None if side is None else side_of(side, metric or (), store) for side in (pilot, base)]
    chosen = shared_metrics({"pilot": sides[0]}, metric)[0] if sides[0] is not None else None
    found = make(
        effect,
        sd=sd,
        pilot=sides[0],
        base=sides[1],
        n=n,
        power=power,
        alpha=alpha,
        margin=margin,
        probability=probability,
        design="paired" if paired else "one" if one else "two",
        metric=chosen,
    )
    return _told(found, explain, json)


def _told(found: "Plan", explain: bool, as_json: bool) -> int:
    from ..reports.decisions import explain_plan
    from ..reports.page import Line

    if as_json:
        print_json(found.as_dict())
    else:
        print_page([Line(found.sentence), *(map(Line, explain_plan(found)) if explain else ())])
    return 0
