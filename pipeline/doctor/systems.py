"""What to type on this system to get a program."""

import platform
import sys
from collections.abc import Mapping

DEBIAN, UBUNTU, MACOS, OTHER = "debian", "ubuntu", "macos", "other"
APT = "sudo apt-get install"
BREW = "brew install"


def detect_system() -> str:
    """Return which system this is, as far as installing goes.

    A derivative is what it is made from:
    https://www.freedesktop.org/software/systemd/man/os-release
    """
    if sys.platform == "darwin":
        return MACOS
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return OTHER
    names = [release["ID"], *release.get("ID_LIKE", "").split()]
    return next((name for name in names if name in {UBUNTU, DEBIAN}), OTHER)


def install_commands(
    page: str, debian: str = "", ubuntu: str = "", macos: str = ""
) -> Mapping[str, str]:
    """Return how each system installs a program: by packages of its own, or as a page says.

    Args:
        page: Its makers' page.
        debian: Packages of Debian, if it has any.
        ubuntu: Packages of Ubuntu.
        macos: Packages of Homebrew.
    """
    given = {DEBIAN: (APT, debian), UBUNTU: (APT, ubuntu), MACOS: (BREW, macos)}
    known = {name: f"{tool} {some}" for name, (tool, some) in given.items() if some}
    return {name: known.get(name, page) for name in (*given, OTHER)}


def same_everywhere(command: str) -> Mapping[str, str]:
    """Return that one command does it on every system."""
    return dict.fromkeys((DEBIAN, UBUNTU, MACOS, OTHER), command)
