"""TensorBoard: folders with files `events.out.tfevents…`; each folder is a run."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ...metrics.events import summaries
from ...metrics.protobuf import Damaged, as_bytes, as_float, as_text, fields
from ..sheet import Sheet
from .tracked import Tracked, sheet_of_runs

_HPARAMS: Final = "_hparams_/"
_FLAT: Final = ("hparams.yaml", "hparams.yml")


def read_tensorboard(path: str, files: Iterable[Path]) -> Sheet:
    """The runs in some files of events. Raises UsageError for a file that is damaged."""
    root = Path(path)
    by_folder: dict[Path, list[Path]] = {}
    for file in sorted(files):
        by_folder.setdefault(file.parent, []).append(file)
    runs: dict[Path, Tracked] = {}
    for folder, of in by_folder.items():
        run = Tracked(_name(folder, root), str(folder))
        points: list[tuple[float, str, float, float]] = []
        for file in of:
            try:
                points += _points(file, run)
            except Damaged as error:
                raise UsageError(f"{file} cannot be read as events of TensorBoard: {error}") from None
        for _, tag, step, value in sorted(points, key=lambda point: point[0]):
            run.log(tag, step, value)
        for name in _FLAT:
            if (folder / name).is_file():
                _take_yaml(run, folder / name)
        runs[folder] = run
    return sheet_of_runs(path, "runs of TensorBoard", _with_parents(runs))


def _name(folder: Path, root: Path) -> str:
    inside = folder.relative_to(root) if root.is_dir() else Path()
    return inside.as_posix() if inside.parts else folder.resolve().name


def _with_parents(runs: dict[Path, Tracked]) -> list[Tracked]:
    """Runs, each with its parts: `add_scalars` and `add_hparams` write folders below that of their run."""
    found: dict[Path, Tracked] = {}
    for folder in sorted(runs):
        above = next((parent for parent in folder.parents if parent in found), None)
        part = runs[folder]
        if above is None or not _is_part(folder, above, runs):
            found[folder] = part
            continue
        run = found[above]
        run.settings.update(part.settings)
        for tag, points in part.metrics.items():
            name = tag if tag not in run.metrics else f"{tag} ({folder.relative_to(above).as_posix()})"
            run.metrics.setdefault(name, points)
    return list(found.values())


def _is_part(folder: Path, above: Path, runs: dict[Path, Tracked]) -> bool:
    """Whether a run wrote this folder beside its own events: named after a tag, or the only one with hyperparameters."""
    part = runs[folder]
    named = folder.relative_to(above).as_posix()
    if part.metrics and all(named.startswith(tag.replace("/", "_") + "_") for tag in part.metrics):
        return True
    with_settings = [other for other in runs if other != above and above in other.parents and runs[other].settings]
    return not runs[above].settings and with_settings == [folder]


def _points(file: Path, run: Tracked) -> Iterator[tuple[float, str, float, float]]:
    """Time, tag, step and value of each scalar; what the plugin for hyperparameters wrote goes to the settings."""
    for held in summaries(file.read_bytes()):
        if held.tag.startswith(_HPARAMS):
            if held.plugin == "hparams":
                run.settings.update(_hyperparameters(held.content))
        elif held.tag and held.number is not None:
            yield held.wall, held.tag, held.step, held.number


def _hyperparameters(content: bytes) -> dict[str, str]:
    """The hyperparameters of a session: HParamsPluginData.session_start_info.hparams, a map of protobuf values."""
    found = {}
    for number, value in fields(content):
        if number != 3:
            continue
        for of, held in fields(as_bytes(value)):
            if of == 1:
                name, text = "", None
                for part, inner in fields(as_bytes(held)):
                    if part == 1:
                        name = as_text(inner)
                    elif part == 2:
                        text = _protobuf_value(as_bytes(inner))
                if name and text is not None:
                    found[name] = text
    return found


def _protobuf_value(message: bytes) -> str | None:
    """A number, text or truth of google.protobuf.Value."""
    for number, value in fields(message):
        if number == 2:
            held = as_float(value)
            return str(int(held)) if held == int(held) and abs(held) < 2**53 else repr(held)
        if number == 3:
            return as_text(value)
        if number == 4:
            return str(bool(value)).lower()
    return None


def _take_yaml(run: Tracked, file: Path) -> None:
    """The plain entries of Lightning's hparams.yaml: one `name: value` in each line."""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == name and value.strip() and value.strip()[0] not in "[{&*!|>":
            run.settings.setdefault(name, value.strip().strip("'\""))
