"""The way back ends where the database has lost what older code needs."""

import json

import pytest

from pipeline.deploy import barrier
from pipeline.deploy.barrier import CONTRACTS, LIST, USES, require_way_back, require_way_on
from pipeline.deploy.jobs import JobFailedError
from pipeline.deploy.prepare import entry_of
from pipeline.deploy.stack import Service, render
from pipeline.deploy.swarm import Swarm
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError
from tests.deploying.engine import Engine
from tests.deploying.examples import AT_ONCE, environment, release

STAGING = environment(timings=AT_ONCE)
OLD, NEW = render(STAGING, release(1)), render(STAGING, release(2))
LIVE = entry_of(release(2), NEW, [], "deploy")
FIRST, ADDS, DROPS = "[X]  shop.0001_initial", "[X]  shop.0002_adds", "[X]  shop.0003_drops"


class Backends:
    """What the management commands of the old and of the new code print."""

    def __init__(self) -> None:
        self.old = [FIRST]
        self.new = [FIRST]
        self.contracts: list[str] | None = []
        self.uses: list[str] | None = ["shop.order", "shop.order.note"]
        self.asked: list[str] = []

    def asked_of(self, _: Swarm, __: Environment, service: Service, command: str) -> list[str]:
        self.asked.append(command)
        if command == CONTRACTS:
            if self.contracts is None:
                raise JobFailedError("Unknown command: 'contract_migrations'", hint="")
            return ["1 object imported", json.dumps(self.contracts)]
        if command == USES:
            if self.uses is None:
                raise JobFailedError("Unknown command: 'schema_uses'", hint="")
            return [json.dumps(self.uses)]
        return self.old if service["image"] == OLD["backend"]["image"] else self.new


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Backends:
    backends = Backends()
    monkeypatch.setattr(barrier, "asked", backends.asked_of)
    return backends


def test_older_code_that_knows_all_that_was_migrated_may_come_back(
    engine: Engine, backends: Backends
) -> None:
    backends.old = [FIRST, ADDS]
    backends.new = [FIRST, ADDS]
    require_way_back(engine, STAGING, LIVE, OLD)
    assert backends.asked == [LIST, LIST]


def test_older_code_lives_with_migrations_that_only_add(engine: Engine, backends: Backends) -> None:
    backends.new = [FIRST, ADDS]
    require_way_back(engine, STAGING, LIVE, OLD)
    assert backends.asked[-1] == CONTRACTS


def test_there_is_no_way_back_over_one_that_takes_away_and_it_is_named(
    engine: Engine, backends: Backends
) -> None:
    backends.new = [FIRST, ADDS, DROPS]
    backends.contracts = ["shop.0003_drops"]
    with pytest.raises(InputError, match=r"no way back over shop\.0003_drops: ") as caught:
        require_way_back(engine, STAGING, LIVE, OLD)
    assert "invoke restore" in caught.value.hint


def test_one_that_the_older_code_knows_lies_before_it(engine: Engine, backends: Backends) -> None:
    backends.old = [FIRST, DROPS]
    backends.new = [FIRST, DROPS, ADDS]
    backends.contracts = ["shop.0003_drops"]
    require_way_back(engine, STAGING, LIVE, OLD)


def test_one_that_the_database_does_not_have_took_nothing_away(
    engine: Engine, backends: Backends
) -> None:
    backends.new = [FIRST, "[ ]  shop.0003_drops"]
    require_way_back(engine, STAGING, LIVE, OLD)
    assert CONTRACTS not in backends.asked


@pytest.mark.parametrize("contracts", [None, "no list"])
def test_code_that_cannot_tell_what_it_took_away_is_no_reason_to_hope(
    engine: Engine, backends: Backends, contracts: list[str] | None
) -> None:
    backends.new = [FIRST, ADDS]
    backends.contracts = contracts
    with pytest.raises(InputError, match=r"v1\.0\.2 migrated the database, and cannot say"):
        require_way_back(engine, STAGING, LIVE, OLD)


def test_the_same_code_need_not_be_asked(engine: Engine, backends: Backends) -> None:
    require_way_back(engine, STAGING, LIVE, NEW)
    assert backends.asked == []


def test_what_a_backend_knows_is_asked_of_its_own_image(engine: Engine) -> None:
    engine.says["barrier"] = f"shop\n{FIRST}\n[ ]  shop.0002_adds\n"
    assert barrier.migrations(engine, STAGING, OLD["backend"], applied=True) == {
        "shop.0001_initial"
    }
    assert len(barrier.migrations(engine, STAGING, OLD["backend"])) == 2
    assert OLD["backend"]["image"] in engine.options["shop-barrier"]


@pytest.mark.parametrize(
    "said",
    ["", "to be applied: shop.0002_adds", 'to be applied: x\ntaken away: ["shop.order.unused"]'],
)
def test_migrations_that_leave_what_serves_all_it_uses_may_be_applied(
    engine: Engine, backends: Backends, said: str
) -> None:
    require_way_on(engine, STAGING, LIVE, said)
    assert backends.asked == ([USES] if "taken away" in said else [])


def test_what_serves_is_not_deprived_of_what_it_uses(engine: Engine, backends: Backends) -> None:
    said = 'taken away: ["shop.order.note", "shop.tag"]\n' * 3  # by three nodes
    with pytest.raises(CheckFailedError, match=r"still uses .* shop\.order\.note$") as caught:
        require_way_on(engine, STAGING, LIVE, said)
    assert caught.value.hint.startswith("first deploy a release that does without it")
    assert backends.uses


def test_a_migration_that_comes_too_early_is_refused_whoever_serves(
    engine: Engine, backends: Backends
) -> None:
    said = 'to be applied: x\ntoo early: ["shop.0003_drops"]\n'
    with pytest.raises(CheckFailedError, match=r"too early: shop\.0003_drops; v1\.0\.2 serves"):
        require_way_on(engine, STAGING, LIVE, said)
    assert backends.asked == []


def test_what_serves_and_cannot_tell_is_deprived_of_nothing(
    engine: Engine, backends: Backends
) -> None:
    backends.uses = None
    with pytest.raises(CheckFailedError, match="cannot say whether it uses"):
        require_way_on(engine, STAGING, LIVE, 'taken away: ["shop.tag"]')
