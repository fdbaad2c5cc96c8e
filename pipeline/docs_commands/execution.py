"""Run blocks of commands one after the other in a copy of the repository."""

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

_SHELL = ("bash", "-e", "-u", "-o", "pipefail", "-c")
QUICK_TIMEOUT, LONG_TIMEOUT = 300.0, 3600.0
"""Time limits of one block, in seconds."""


@dataclass(frozen=True)
class BlockResult:
    """The result of a block."""

    block: Block
    output: CommandResult
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all its commands succeeded."""
        return self.output.returncode == 0


def run_blocks(chosen: Iterable[Block], limit: float) -> Iterator[BlockResult]:
    """Run blocks, each on the unchanged files, and yield their results.

    Args:
        chosen: The blocks.
        limit: The time limit of each block, in seconds.
    """
    with raise_on_signal(), _repository_copy() as copy:
        for block in chosen:
            started = time.monotonic()
            with copy.with_edits([]), _timer(limit) as expired:
                command = [*_SHELL, block.script]
                output = run_interruptible(command, cwd=copy.root, env=os.environ, stop=expired)
            yield BlockResult(block, output, time.monotonic() - started)


@contextmanager
def _timer(seconds: float) -> Iterator[Event]:
    expired = Event()
    timer = Timer(seconds, expired.set)
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


@contextmanager
def _repository_copy() -> Iterator[RepositoryCopy]:
    with TemporaryDirectory() as folder:
        copy = copy_repository(Path.cwd(), Path(folder, "checkout"))
        link_folders(Path.cwd(), copy.root, [".venv"])
        yield copy
