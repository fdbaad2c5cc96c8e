"""Run the tests of this folder on real tools, or say which of them is missing.

python -m tests.supply_chain [options of pytest]
"""

import shutil
import sys
from collections.abc import Sequence

from pipeline.errors import NotJudgedError, judged, reported
from pipeline.images.act import START_ENGINE, WHERE, engine_answers
from pipeline.run import run

CHECK = "supply-chain"


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code of pytest.

    Raises:
        NotJudgedError: A tool is missing, or no engine answers.
    """
    for tool in ("cosign", "syft"):
        if shutil.which(tool) is None:
            raise NotJudgedError(CHECK, f"there is no {tool}", hint=WHERE[tool])
    if not engine_answers():
        raise NotJudgedError(CHECK, "no Docker Engine answers", hint=START_ENGINE)
    judged(CHECK)
    return run([sys.executable, "-m", "pytest", "tests/supply_chain", *arguments])


if __name__ == "__main__":
    with reported():
        sys.exit(main(sys.argv[1:]))
