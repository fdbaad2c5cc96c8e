"""What tools read of the home folder: where packages come from, and nothing that changes a result.

Variables are the other way in: pipeline.toml names those that reach a session.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import InputError

UV = {"UV_CONFIG_FILE": os.devnull}
"""For uv: no uv.toml. Unlike `--no-config` it wins over a file that a variable names."""
# https://docs.npmjs.com/cli/using-npm/config
NPM = re.compile(
    r"\s*(//[^=]+|@[^=]+:registry|registry|https?-proxy|proxy|noproxy|strict-ssl|cafile|ca|cert|key"
    r"|cache|fetch-[a-z-]+|maxsockets|local-address|offline|prefer-offline)(\[\])?\s*="
)
USERCONFIG = "npm_config_userconfig"


def npm_environment() -> Mapping[str, str]:
    """Return the variables for npm: of the user's .npmrc it gets what says how to reach a registry.

    `omit=dev` would set NODE_ENV for scripts even where another setting overrules it, so the file
    itself has to be another one. It may hold tokens: only the user can read it.

    Raises:
        InputError: The user's file cannot be read, or no other be written.
    """
    named = {name.lower(): value for name, value in os.environ.items()}
    given = Path(named.get(USERCONFIG) or Path.home() / ".npmrc")
    try:
        text = given.read_text(errors="surrogateescape") if given.is_file() else ""
        kept = "".join(line for line in text.splitlines(keepends=True) if NPM.match(line))
        file = _temporary_file(kept)
    except OSError as error:
        raise InputError(
            f"{error.filename}: {error.strerror}", hint="set XDG_CACHE_HOME to a folder of yours"
        ) from None
    return {USERCONFIG: file, USERCONFIG.upper(): file}  # npm reads either, and takes the last


def _temporary_file(text: str) -> str:
    """The file of this user that holds a text, whole at every moment; none for no text."""
    file = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "dev-npm", "npmrc")
    if not text:
        file.unlink(missing_ok=True)  # what it held may be gone for a reason
        return os.devnull
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, new = tempfile.mkstemp(dir=file.parent)  # for this user alone
    with os.fdopen(descriptor, "w", errors="surrogateescape") as opened:
        opened.write(text)
    Path(new).replace(file)
    return str(file)
