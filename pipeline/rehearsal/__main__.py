"""The command line of the rehearsal: `python -m pipeline.rehearsal`."""

from pipeline.errors import handle_errors
from pipeline.rehearsal.runner import rehearse

if __name__ == "__main__":
    with handle_errors():
        rehearse()
