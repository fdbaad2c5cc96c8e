"""Blocks of commands, run one after the other in a copy of the repository."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Timer

from pipeline.deploy.signals import raise_on_signal
from pipeline.docs_commands.command_blocks import Block
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository, link_folders
from pipeline.process import CommandResult, run_interruptible

SHELL = ("bash", "-e", "-u", "-o", "pipefail", "-c")
QUICK_TIMEOUT, LONG_TIMEOUT = 300.0, 3600.0
"""Seconds that a block is given."""


@dataclass(frozen=True)
class BlockResult:
    """What came of a block."""

    block: Block
    output: CommandResult
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all its commands did what they were to do."""
        return self.output.returncode == 0


def run_blocks(chosen: Iterable[Block], limit: float) -> Iterator[BlockResult]:
    """Run blocks, each on the tree as it was, and yield what came of them.

    Args:
        chosen: Which.
        limit: How many seconds each of them is given.
    """
    with raise_on_signal(), _scratch() as made:
        for block in chosen:
            started = time.monotonic()
            with made.with_edits([]), _alarm(limit) as rings:
                command = [*SHELL, block.script]
                output = run_interruptible(command, cwd=made.root, env=os.environ, stop=rings)
            yield BlockResult(block, output, time.monotonic() - started)


@contextmanager
def _alarm(seconds: float) -> Iterator[Event]:
    rings = Event()
    timer = Timer(seconds, rings.set)
    timer.start()
    try:
        yield rings
    finally:
        timer.cancel()


@contextmanager
def _scratch() -> Iterator[RepositoryCopy]:
    with TemporaryDirectory() as folder:
        made = copy_repository(Path.cwd(), Path(folder, "checkout"))
        link_folders(Path.cwd(), made.root, [".venv"])
        yield made
