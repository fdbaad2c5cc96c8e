"""A plugin of pytest that lists the files which it takes for tests, and imports none of them."""

from pathlib import Path

import pytest

TAKEN: list[Path] = []


class Unread(pytest.Module):
    """A file of which only the name counts."""

    def collect(self) -> list[pytest.Item]:
        """Find nothing in it."""
        return []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Unread:
    """Take the place of what would import the file."""
    TAKEN.append(module_path)
    return Unread.from_parent(parent, path=module_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the files."""
    for path in TAKEN:
        terminalreporter.write_line(f"taken: {path}")
