"""Builds the site: `make docs`, or `python docs/builder [FOLDER]` (site/ by default). Anything that is broken ends it."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from builder.site import Broken, build
from builder.tutorial import report_of_the_tutorial


def main() -> int:
    """Run the tutorial, whose report the site shows, and build. Returns the exit code."""
    into = Path(sys.argv[1] if len(sys.argv) > 1 else "site").resolve()
    try:
        with tempfile.TemporaryDirectory(prefix="seedwise-docs-") as folder:
            print("running the commands of the tutorial, for its report", flush=True)
            build(into, report_of_the_tutorial(Path(folder)))
    except Broken as broken:
        print(f"The site is not built: {broken}", file=sys.stderr)
        return 1
    print(f"The site is in {into / 'index.html'}: open it in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
