"""The reference of the command line, made by cyclopts from the parser itself."""

import re

_EXAMPLE = re.compile(r"(bash, zsh: |fish: )?.*?seedwise [a-z-]+ ")
_BEGINNING = """# The commands

What `seedwise help COMMAND` prints, of every command. `--json` prints JSON and nothing else. Exit codes: 0 done, 1 the answer is "no", 2 wrong use, 3 some seeds failed, 130 interrupted.
"""


def commands() -> str:
    """A page of Markdown with every command, in the groups of `seedwise --help`."""
    from seedwise.cli.start import with_all_commands

    head, *parts = re.split(r"^(?=## seedwise )", with_all_commands().generate_docs(), flags=re.MULTILINE)
    listed = head.split("## Table of Contents", 1)[1].partition("**")
    return "\n".join([_BEGINNING, listed[1] + listed[2], *(_as_markdown(part) for part in parts)])


def _as_markdown(part: str) -> str:
    """One command. An example of the plain text becomes code; a star that Markdown would read as a sign stays a star."""
    lines = []
    for line in part.splitlines():
        if _EXAMPLE.match(line) and lines[-1] != "```console":
            lines.append(f"    {line}")
        elif line.startswith("* `"):
            name, said = line.partition("`:")[::2]
            words, *marks = re.split(r"(?= \*{1,2}\[)", said)
            lines.append("".join([name, "`:", words.replace("*", r"\*"), *marks]))
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
