"""What happens to a deployment that is stopped in the middle, or meets another one."""

import signal
import time

from tests.deploy.conftest import Site, interrupt

INTERRUPTED, INPUT = 130, 2
STALE_SECONDS = 60


def test_ctrl_c_in_the_middle_puts_the_old_release_back(site: Site) -> None:
    commit = site.variants.release("LABEL interrupted=1")
    with site.users():
        code, said = interrupt(site.begin(commit), "roll backend", signal.SIGINT)
    assert code == INTERRUPTED, said
    assert "put back done" in said
    assert site.history()[-1][4].startswith("interrupted")


def test_a_killed_deployer_is_undone_by_the_next_one(site: Site) -> None:
    commit = site.variants.release("LABEL killed=1")
    with site.users():
        code, said = interrupt(site.begin(commit), "roll backend", signal.SIGKILL)
        assert code == -signal.SIGKILL, said
        locked = site.yard.invoke("deploy", "--env=staging", "--resume")
        assert locked.returncode == INPUT
        assert "is locked by" in locked.stderr
        time.sleep(STALE_SECONDS + 5)
        resumed = site.yard.invoke("deploy", "--env=staging", "--resume")
        assert resumed.returncode == 0, resumed.stderr
    assert site.history()[-1][4].startswith("abandoned")


def test_of_two_deployments_at_once_one_is_refused(site: Site) -> None:
    commit = site.variants.release("LABEL both=1")
    with site.users():
        both = [site.begin(commit), site.begin(commit)]
        said = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes == [0, INPUT], said
        assert any("is locked by" in words for words in said)
        back = site.yard.invoke("rollback", "--env=staging", "--yes")
        assert back.returncode == 0, back.stderr
