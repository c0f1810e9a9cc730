"""Where a run was made, if an engine gave it to a node: node, job, processor, and versions that are not those at home."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a run was made."""

    node: str
    job: str = ""
    """The engine's own name for the job: `17_3`."""
    processor: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python, and of the packages that the runs loaded, those that are not as at home: name → version there."""

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {"node": self.node, "job": self.job, "processor": self.processor, "versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Place":
        """The place of which `as_dict` gave these values."""
        versions = {str(name): str(version) for name, version in values["versions"].items()}
        return cls(str(values["node"]), str(values["job"]), str(values["processor"]), versions)

    def __hash__(self) -> int:
        return hash((self.node, self.job, self.processor, tuple(sorted(self.versions.items()))))


def processor() -> str:
    """The kind of this machine's processor. Only on the same kind are two runs expected to compute the same."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{platform.machine()} {line.partition(':')[2].strip()}"
    except OSError:
        pass
    return f"{platform.machine()} {platform.processor()}".strip()
