"""Install commands of a program by operating system."""

import platform
import sys
from collections.abc import Mapping

_DEBIAN, _UBUNTU, _MACOS, _OTHER = "debian", "ubuntu", "macos", "other"
_APT = "sudo apt-get install"
_BREW = "brew install"


def detect_system() -> str:
    """Return the operating system; for a derivative, the one that it is based on.

    https://www.freedesktop.org/software/systemd/man/os-release
    """
    if sys.platform == "darwin":
        return _MACOS
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return _OTHER
    names = [release["ID"], *release.get("ID_LIKE", "").split()]
    return next((name for name in names if name in {_UBUNTU, _DEBIAN}), _OTHER)


def install_commands(
    page: str, debian: str = "", ubuntu: str = "", macos: str = ""
) -> Mapping[str, str]:
    """Return the install command for each system: its packages, or the upstream page.

    Args:
        page: The upstream page.
        debian: Packages of Debian, if there are any.
        ubuntu: Packages of Ubuntu.
        macos: Packages of Homebrew.
    """
    packages = {_DEBIAN: (_APT, debian), _UBUNTU: (_APT, ubuntu), _MACOS: (_BREW, macos)}
    known = {name: f"{tool} {some}" for name, (tool, some) in packages.items() if some}
    return {name: known.get(name, page) for name in (*packages, _OTHER)}


def same_everywhere(command: str) -> Mapping[str, str]:
    """Return one command for every system."""
    return dict.fromkeys((_DEBIAN, _UBUNTU, _MACOS, _OTHER), command)
