"""Print a command of README.md: that of the first block after `<!-- command: NAME -->`."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def command(name: str) -> str:
    """The command with this name; exits where there is none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- command: {re.escape(name)} -->\n+```sh\n(.+?)\n```", text, re.DOTALL)
    return found[1] if found else sys.exit(f"README.md has no command {name!r}")


if __name__ == "__main__":
    print(command(sys.argv[1]))
