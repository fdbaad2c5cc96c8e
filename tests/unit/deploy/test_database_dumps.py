"""Dumps are made and read by jobs that reach the app's database; no command line holds a secret."""

import pytest

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError
from pipeline.deploy.database import MAX_DUMPS, Database
from tests.unit.deploy.factories import INSTANT_TIMINGS, POSTGRES, make_environment
from tests.unit.deploy.fake_swarm import FakeSwarm

URL = "postgres://owner:sword%2Ffish@db.example.com:6432/ledger?sslmode=require"


@pytest.fixture
def data(engine: FakeSwarm) -> Database:
    environment = make_environment(timings=INSTANT_TIMINGS)
    return Database(DeployTarget(environment, engine, {"DATABASE_URL": URL}), POSTGRES)


def test_a_dump_is_named_after_its_time_and_its_release(engine: FakeSwarm, data: Database) -> None:
    name = data.dump("v1.2.3")
    assert name.startswith("20")
    assert name.endswith("Z-v1.2.3")
    received = engine.options["shop-dump"]
    assert received[-3:] == ("dump.sh", name, str(MAX_DUMPS))
    volume = "--mount=type=volume,source=shop-dumps,destination=/dumps"
    assert {POSTGRES, volume, "--constraint=node.id==node-1"} <= {*received}
    assert "fish" not in str(received)
    assert "fish" not in repr(data)


def test_what_cannot_be_dumped_is_said_with_its_reason(engine: FakeSwarm, data: Database) -> None:
    engine.ends[POSTGRES] = "failed"
    with pytest.raises(JobFailedError, match="last log lines of shop-dump"):
        data.dump("v1.2.3")


def test_the_dumps_that_there_are_come_in_the_order_of_their_times(
    engine: FakeSwarm, data: Database
) -> None:
    engine.message["dumps"] = "20261102-v2.dump\n20261101-v1.dump\n20261103-v3.part\nlost+found"
    assert data.list_dumps() == ["20261101-v1", "20261102-v2"]


def test_a_restore_can_be_taken_back(engine: FakeSwarm, data: Database) -> None:
    data.restore("20261101-v1")
    assert engine.options["shop-restore"][-1] == "20261101-v1"
    data.undo_restore()
    assert engine.options["shop-restore"][-1] == "--back"
