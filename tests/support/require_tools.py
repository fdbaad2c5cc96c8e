"""Run tests on real tools, or say which of them is missing.

python -m tests.support.require_tools CHECK FOLDER [options of pytest]
"""

import shutil
import sys
from collections.abc import Sequence

from pipeline.errors import InconclusiveError, clear_inconclusive, handle_errors
from pipeline.images.tools import INSTALL_HINTS, is_engine_available, no_engine_error
from pipeline.process import run


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code of pytest.

    Raises:
        InconclusiveError: A tool is missing, or no engine answers.
    """
    check, folder, *options = arguments
    if not is_engine_available():
        raise no_engine_error(check)
    for tool in ("cosign", "syft"):
        if shutil.which(tool) is None:
            raise InconclusiveError(
                check, f"there is no {tool}", hint=f"install it: {INSTALL_HINTS[tool]}"
            )
    clear_inconclusive(check)
    return run([sys.executable, "-m", "pytest", folder, *options])


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
