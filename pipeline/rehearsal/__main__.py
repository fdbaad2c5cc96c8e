"""Rehearse on this machine: `python -m pipeline.rehearsal`."""

from pipeline.errors import reported
from pipeline.rehearsal.runner import rehearse

if __name__ == "__main__":
    with reported():
        rehearse()
