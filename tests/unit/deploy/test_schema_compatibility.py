"""The way back ends where the database has lost what older code needs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError, JobNotStartedError
from pipeline.deploy.cluster.stackfile import Service, render_services
from pipeline.deploy.rollout import schema_compatibility
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.schema_compatibility import (
    APPLIED,
    SHOWMIGRATIONS_COMMAND,
    require_forward_compatible,
    require_rollback_compatible,
)
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.errors import CheckFailedError, InputError
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

COMMANDS = load().app.commands
STAGING = make_environment(timings=INSTANT_TIMINGS)
OLD, NEW = render_services(STAGING, make_release(1)), render_services(STAGING, make_release(2))
LIVE = replace(new_record(make_release(2), NEW, [], "deploy"), number=9, outcome=journal.SUCCEEDED)
FIRST, ADDS, DROPS = "[X]  shop.0001_initial", "[X]  shop.0002_adds", "[X]  shop.0003_drops"


class Backends:
    """What the management commands of the old and of the new code print.

    Attributes:
        dead: The images that do not run, each with what becomes of its job.
    """

    def __init__(self) -> None:
        self.old = [FIRST]
        self.new = [FIRST]
        self.dead: dict[str, JobFailedError] = {}
        self.contracts: list[str] | None = []
        self.uses: list[str] | None = ["shop.order", "shop.order.note"]
        self.requested: list[str] = []

    def asked_of(
        self, _: DeployTarget, service: Service, *commands: str, **_limits: float
    ) -> list[str]:
        image = service["image"]
        self.requested.append(commands[0])
        if image in self.dead:
            raise self.dead[image]
        return [line for command in commands for line in self.output(image, command)]

    def output(self, image: str, command: str) -> list[str]:
        if command == COMMANDS.contract_migrations:
            if self.contracts is None:
                raise JobFailedError("Unknown command: 'contract_migrations'", hint="")
            return ["1 object imported", json.dumps(self.contracts)]
        if command == COMMANDS.schema_uses:
            if self.uses is None:
                raise JobFailedError("Unknown command: 'schema_uses'", hint="")
            return [json.dumps(self.uses)]
        if command == APPLIED:
            return [json.dumps([line[5:] for line in self.new if line.startswith("[X]")])]
        return self.old if image == OLD["backend"]["image"] else self.new


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Backends:
    backends = Backends()
    monkeypatch.setattr(schema_compatibility, "run_management_command", backends.asked_of)
    return backends


def back(
    engine: FakeSwarm,
    target: Mapping[str, Service],
    *,
    known: Sequence[DeploymentRecord] = (LIVE,),
    outage: bool = False,
) -> None:
    require_rollback_compatible(DeployTarget(STAGING, engine), known, target, lambda: outage)


def test_older_code_that_knows_all_that_was_migrated_may_come_back(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.old = [FIRST, ADDS]
    backends.new = [FIRST, ADDS]
    back(engine, OLD)
    assert backends.requested == [SHOWMIGRATIONS_COMMAND]


def test_older_code_lives_with_migrations_that_only_add(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.new = [FIRST, ADDS]
    back(engine, OLD)
    assert backends.requested[-1] == COMMANDS.contract_migrations


def test_there_is_no_way_back_over_one_that_takes_away_and_it_is_named(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.new = [FIRST, ADDS, DROPS]
    backends.contracts = ["shop.0003_drops"]
    with pytest.raises(InputError, match=r"roll back over shop\.0003_drops: ") as caught:
        back(engine, OLD)
    assert "invoke restore" in caught.value.hint


def test_one_that_the_older_code_knows_lies_before_it(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.old = [FIRST, DROPS]
    backends.new = [FIRST, DROPS, ADDS]
    backends.contracts = ["shop.0003_drops"]
    back(engine, OLD)


def test_one_that_the_database_does_not_have_took_nothing_away(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.new = [FIRST, "[ ]  shop.0003_drops"]
    back(engine, OLD)
    assert COMMANDS.contract_migrations not in backends.requested


@pytest.mark.parametrize("contracts", [None, "no list"])
def test_code_that_cannot_tell_what_it_took_away_is_no_reason_to_hope(
    engine: FakeSwarm, backends: Backends, contracts: list[str] | None
) -> None:
    backends.new = [FIRST, ADDS]
    backends.contracts = contracts
    with pytest.raises(InputError, match=r"v1\.0\.2 migrated the database, and cannot report"):
        back(engine, OLD)


def test_the_same_code_need_not_be_asked(engine: FakeSwarm, backends: Backends) -> None:
    back(engine, NEW)
    assert backends.requested == []


def test_what_a_backend_knows_is_asked_of_its_own_image(engine: FakeSwarm) -> None:
    engine.message["barrier"] = f'shop\n{FIRST}\n["shop.0001_initial", "shop.0002_adds"]\n'
    assert schema_compatibility.unknown_migrations(
        DeployTarget(STAGING, engine), OLD["backend"]
    ) == {"shop.0002_adds"}
    assert OLD["backend"]["image"] in engine.options["shop-barrier"]


CRASHES = JobFailedError("shop-barrier: exit code 1\nModuleNotFoundError: gone", hint="look")
KEPT_BACK = JobNotStartedError(
    "shop-barrier has not started after 60 s: pending", hint="docker node"
)
ABSENT = JobFailedError("shop-barrier: No such image: x (the registry has no x)", hint="push it")
DEAD = {"crashes": CRASHES, "does not start": KEPT_BACK, "is gone": ABSENT}


@pytest.mark.parametrize("how", DEAD)
@pytest.mark.parametrize("outage", [True, False])
def test_a_live_release_whose_image_does_not_run_does_not_bar_the_way_back(
    engine: FakeSwarm,
    backends: Backends,
    capsys: pytest.CaptureFixture[str],
    how: str,
    *,
    outage: bool,
) -> None:
    backends.new = [FIRST, ADDS]
    backends.dead[NEW["backend"]["image"]] = DEAD[how]
    back(engine, OLD, outage=outage)
    output = capsys.readouterr().err
    assert "v1.0.2 cannot report its contract migrations: shop-barrier" in output
    assert (
        "inconclusive: whether older code is compatible with shop.0002_adds; continuing" in output
    )


@pytest.mark.parametrize("how", DEAD)
def test_another_good_release_tells_what_a_dead_one_cannot(
    engine: FakeSwarm, backends: Backends, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    backends.new, backends.contracts = [FIRST, DROPS], ["shop.0003_drops"]
    backends.dead[NEW["backend"]["image"]] = DEAD[how]
    between = new_record(make_release(3), render_services(STAGING, make_release(3)), [], "deploy")
    known = [replace(between, outcome=journal.SUCCEEDED), LIVE]
    with pytest.raises(InputError, match=r"roll back over shop\.0003_drops: "):
        back(engine, OLD, known=known, outage=True)
    backends.contracts = []
    back(engine, OLD, known=known, outage=True)
    assert "inconclusive" not in capsys.readouterr().err


@pytest.mark.parametrize("contracts", [None, "no list"])
def test_in_an_outage_code_that_cannot_tell_does_not_bar_the_way_back(
    engine: FakeSwarm,
    backends: Backends,
    capsys: pytest.CaptureFixture[str],
    contracts: list[str] | None,
) -> None:
    backends.new, backends.contracts = [FIRST, ADDS], contracts
    back(engine, OLD, outage=True)
    assert (
        "inconclusive: whether older code is compatible with shop.0002_adds"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("how", DEAD)
def test_a_release_that_does_not_run_cannot_be_gone_back_to(
    engine: FakeSwarm, backends: Backends, how: str
) -> None:
    backends.dead[OLD["backend"]["image"]] = DEAD[how]
    with pytest.raises(CheckFailedError, match=r"v1\.0\.1 cannot run here: shop-barrier") as caught:
        back(engine, OLD, outage=True)
    expected = "docker node" if how == "does not start" else "another good release"
    assert expected in caught.value.hint


def test_a_known_contract_bars_the_way_back_in_an_outage_as_well(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.new, backends.contracts = [FIRST, DROPS], ["shop.0003_drops"]
    with pytest.raises(InputError, match="roll back over"):
        back(engine, OLD, outage=True)


@pytest.mark.parametrize(
    "output",
    ["", "to be applied: shop.0002_adds", 'to be applied: x\ntaken away: ["shop.order.unused"]'],
)
def test_migrations_that_leave_what_serves_all_it_uses_may_be_applied(
    engine: FakeSwarm, backends: Backends, output: str
) -> None:
    require_forward_compatible(DeployTarget(STAGING, engine), LIVE, output)
    assert backends.requested == ([COMMANDS.schema_uses] if "taken away" in output else [])


def test_what_serves_is_not_deprived_of_what_it_uses(engine: FakeSwarm, backends: Backends) -> None:
    output = 'taken away: ["shop.order.note", "shop.tag"]\n' * 3  # by three nodes
    with pytest.raises(CheckFailedError, match=r"still uses .* shop\.order\.note$") as caught:
        require_forward_compatible(DeployTarget(STAGING, engine), LIVE, output)
    assert caught.value.hint.startswith("first deploy a release that does not use it")
    assert backends.uses


def test_a_migration_that_comes_too_early_is_refused_whoever_serves(
    engine: FakeSwarm, backends: Backends
) -> None:
    output = 'to be applied: x\ntoo early: ["shop.0003_drops"]\n'
    with pytest.raises(CheckFailedError, match=r"too early: shop\.0003_drops; v1\.0\.2 serves"):
        require_forward_compatible(DeployTarget(STAGING, engine), LIVE, output)
    assert backends.requested == []


def test_what_serves_and_cannot_tell_is_deprived_of_nothing(
    engine: FakeSwarm, backends: Backends
) -> None:
    backends.uses = None
    with pytest.raises(CheckFailedError, match="cannot report which models"):
        require_forward_compatible(DeployTarget(STAGING, engine), LIVE, 'taken away: ["shop.tag"]')
