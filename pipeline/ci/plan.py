"""Select the jobs to run.

python -m pipeline.ci.plan   prints them as JSON; in CI they become the output `jobs`
"""

import json
from itertools import chain

from pipeline import config, github, workflows
from pipeline.errors import reported


def select() -> list[str]:
    """Return the ids of the check jobs to run: all, less those that only main waits for."""
    left_out = [] if github.is_push_to_main() else config.load()["ci"]["main_only"]
    checks = chain.from_iterable(workflows.calls().values())
    return [job.id for job in checks if job.id not in left_out]


def main() -> None:
    """Print the selection, and hand it to the jobs that come after."""
    selected = json.dumps(select())
    github.set_output("jobs", selected)
    print(selected)


if __name__ == "__main__":
    with reported():
        main()
