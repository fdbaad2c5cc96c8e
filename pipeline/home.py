"""Settings in the home folder: only those that tell where packages come from are used.

Environment variables are the other source; pipeline.toml lists those that reach a session.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import InputError

UV = {"UV_CONFIG_FILE": os.devnull}
"""Variables for uv: no uv.toml is read. UV_CONFIG_FILE overrides `--no-config`."""
# https://docs.npmjs.com/cli/using-npm/config
_NPM = re.compile(
    r"\s*(//[^=]+|@[^=]+:registry|registry|https?-proxy|proxy|noproxy|strict-ssl|cafile|ca|cert|key"
    r"|cache|fetch-[a-z-]+|maxsockets|local-address|offline|prefer-offline)(\[\])?\s*="
)
USERCONFIG = "npm_config_userconfig"


def npm_environment() -> Mapping[str, str]:
    """Return the variables for npm: of the user's .npmrc only the registry settings are used.

    `omit=dev` would set NODE_ENV for scripts even if another setting overrides it, so a filtered
    copy of the file is used. It may contain tokens, so only the user can read it.

    Raises:
        InputError: The user's file cannot be read, or the copy cannot be written.
    """
    named = {name.lower(): value for name, value in os.environ.items()}
    file_path = Path(named.get(USERCONFIG) or Path.home() / ".npmrc")
    try:
        text = file_path.read_text(errors="surrogateescape") if file_path.is_file() else ""
        kept = "".join(line for line in text.splitlines(keepends=True) if _NPM.match(line))
        file = _temporary_file(kept)
    except OSError as error:
        raise InputError(
            f"{error.filename}: {error.strerror}", hint="set XDG_CACHE_HOME to a folder of yours"
        ) from None
    return {USERCONFIG: file, USERCONFIG.upper(): file}  # npm reads both, and uses the last


def _temporary_file(text: str) -> str:
    """Write a text to a file of this user atomically; remove the file for an empty text."""
    file = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "dev-npm", "npmrc")
    if not text:
        file.unlink(missing_ok=True)  # its former content may be outdated
        return os.devnull
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, new = tempfile.mkstemp(dir=file.parent)  # for this user alone
    with os.fdopen(descriptor, "w", errors="surrogateescape") as opened:
        opened.write(text)
    Path(new).replace(file)
    return str(file)
