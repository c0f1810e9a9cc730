"""Finds the experiment to which runs belong: an existing one, or a new one."""

from collections.abc import Callable, Mapping, Sequence

from ..errors import UsageError
from ..wording import option
from . import identity
from .functions import Call
from .options import Mode, Options
from .site_reading import Reading, placement_from_dict, placement_to_dict
from .store import Experiment, Store


def find_experiment(
    store: Store,
    name: str,
    command: Sequence[str],
    mode: Mode,
    options: Options,
    reading: Reading,
    environment: Mapping[str, str],
    note: Callable[[str], None],
    only: Experiment | None = None,
    call: Call | None = None,
) -> Experiment:
    """The experiment to which these runs belong.

    A new one is made if command, code or packages differ from those of the existing ones.

    Parameters
    ----------
    note
        Called with a line of text for the user.
    only
        The experiment that it must be.
    call
        The function that is called, if the experiment is a function.

    Raises
    ------
    UsageError
        Something changed since `only` was made.
    """
    manifest = _manifest(command, mode, options, reading, environment, call)
    alike = [e for e in store.experiments(name) if identity.same_intent(e.manifest, manifest)]
    if only is not None:
        alike = [e for e in alike if e.id == only.id]
    latest: tuple[Experiment, str] | None = None
    for experiment in reversed(alike):
        changed = identity.changes(experiment.manifest, manifest, store.inputs(experiment.id), reading.packages)
        if not changed:
            changed = identity.placed_otherwise(placement_from_dict(experiment.plan), reading.placement)
            if not changed:
                return experiment
            manifest["placed"] = reading.placement.live  # else the two would have one key
        latest = latest or (experiment, ", ".join(changed[:6]) + (" …" if len(changed) > 6 else ""))
    key, plan = identity.key_of(manifest), placement_to_dict(reading.placement)
    if latest is not None and options.accept_change:
        experiment, what = latest
        note(f"accepted: {what} changed since {experiment.label} began; its seeds stay one experiment")
        fresh = {k: v for k, v in _looked_at_again(store, experiment, reading).items() if v}
        store.set_inputs(experiment.id, fresh, replace=True)
        store.set_manifest(experiment, key, manifest, {**experiment.plan, **plan, "forking": {}})
        return store.experiment(f"{experiment.name}@{experiment.version}")
    if latest is not None and only is not None:
        raise UsageError(
            f"{latest[1]} changed since {only.label}: to resume would mix two experiments; run the command again"
        )
    others = store.experiments(name)
    new = store.add_experiment(name, key, command, manifest, plan)
    if latest is not None:
        old, what = latest
        note(
            f"{what} changed since {old.label}: this is {new.label} ({option('--accept-change')} would have gone on with the old)"
        )
    elif others and new.id not in {e.id for e in others}:
        old = others[-1]
        parts = [part for part in identity.INTENT if old.manifest.get(part) != manifest.get(part)]
        note(f"another {', '.join(parts) or 'setup'} than {old.name}@{old.version} has: this is {new.label}")
    return new


def _manifest(
    command: Sequence[str],
    mode: Mode,
    options: Options,
    reading: Reading,
    environment: Mapping[str, str],
    call: Call | None,
) -> dict[str, object]:
    manifest = identity.make_manifest(command, mode, options, reading, environment)
    if call is not None:
        manifest["function"] = dict(call.fingerprint)
    return manifest


def live_site_seen(
    store: Store,
    name: str,
    command: Sequence[str],
    mode: Mode,
    options: Options,
    reading: Reading,
    environment: Mapping[str, str],
    call: Call | None = None,
) -> str:
    """The site whose number a probe of this very experiment saw reach a generator first; "" if there was no such probe."""
    manifest = _manifest(command, mode, options, reading, environment, call)
    for experiment in reversed(store.experiments(name)):
        if not experiment.plan.get("seen") or not identity.same_intent(experiment.manifest, manifest):
            continue
        if not identity.changes(experiment.manifest, manifest, store.inputs(experiment.id), reading.packages):
            return str(experiment.plan.get("live", ""))
    return ""


def _looked_at_again(store: Store, experiment: Experiment, reading: Reading) -> dict[tuple[str, str], str]:
    """Every file and package that the experiment has read, in its present state."""
    fresh = {}
    for kind, name in store.inputs(experiment.id):
        if kind in ("code", "config"):
            fresh[kind, name] = identity.digest(name)
        elif kind == "package":
            fresh[kind, name] = reading.packages.get(name, "")
        else:
            fresh[kind, name] = identity.stamp(name)
    return fresh
