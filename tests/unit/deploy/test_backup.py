"""A restore closes the site, is checked, and is undone if the release does not work with it."""

import pytest

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.commands import backup
from pipeline.deploy.commands.maintenance import enable, maintenance_since
from pipeline.deploy.database import Database
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.edge import edge_config_name
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import entries
from pipeline.errors import (
    CheckFailedError,
    InputError,
    RollbackFailedError,
    RolledBackError,
)
from tests.unit.deploy.factories import INSTANT_TIMINGS, POSTGRES, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
DUMP = "20261123-v1.0.1"


class Site:
    """What the smoke test finds, one walk after the other, and whether the site was closed."""

    def __init__(self, engine: FakeSwarm) -> None:
        self.engine = engine
        self.broken = False
        self.closed: list[bool] = []
        self.headers: list[str] = []

    def smoke(self, _: str, __: str, ___: object, headers: dict[str, str], ____: str) -> None:
        self.closed.append(bool(maintenance_since(DeployTarget(STAGING, self.engine))))
        self.headers += headers
        if self.broken:
            raise CheckFailedError("the API answers 500", hint="look")


@pytest.fixture
def site(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> Site:
    entry = new_record(make_release(1), render_services(STAGING, make_release(1)), [], "deploy")
    journal.record_start(engine, "shop", entry)
    journal.record_end(engine, "shop", entry, journal.SUCCEEDED)
    engine.start_service("shop_edge", "edge", [], 1, "running")
    container = engine.objects("service")["shop_edge"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Configs"] = [{"ConfigName": edge_config_name("shop")}]
    engine.message["-dumps"] = f"{DUMP}.dump"
    for name in STAGING.secrets:
        monkeypatch.setenv(name, "swordfish")
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish@db/ledger")
    site = Site(engine)
    monkeypatch.setattr(backup, "run_smoke_test", site.smoke)
    return site


def received(engine: FakeSwarm) -> list[tuple[str, str]]:
    return [(act.kind, act.outcome) for act in entries(engine, "shop") if act.kind != "maintenance"]


def test_the_data_are_replaced_brought_forward_and_proved_while_nobody_is_let_in(
    engine: FakeSwarm, site: Site
) -> None:
    backup.restore(STAGING, DUMP, yes=True)
    assert engine.options["shop-restore"][-1] == DUMP
    output = engine.options["shop-migrate"][-1]
    limit = 0.9 * STAGING.timings.migrate_timeout  # the statement gives up before the job does
    assert f"migrate_safely --statement-seconds={limit:g} " in output
    assert site.closed == [True]
    assert site.headers == ["X-Insider"]
    assert maintenance_since(DeployTarget(STAGING, engine)) == ""
    assert received(engine) == [("restore", "succeeded")]


@pytest.mark.parametrize("url", ["postgres://owner:pa#word@db/ledger", "sqlite:////data/db"])
def test_an_address_that_no_dump_could_use_is_refused_before_the_engine_is_asked(
    engine: FakeSwarm, site: Site, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    del site
    monkeypatch.setenv("DATABASE_URL", url)
    before = len(engine.requested)
    with pytest.raises(InputError, match=r"^DATABASE_URL "):
        backup.backup(STAGING)
    with pytest.raises(InputError, match=r"^DATABASE_URL "):
        backup.restore(STAGING, DUMP, yes=True)
    assert len(engine.requested) == before


def test_data_that_the_release_does_not_work_with_are_taken_back(
    engine: FakeSwarm, site: Site
) -> None:
    site.broken = True
    with pytest.raises(RolledBackError, match="the API answers 500\nthe data is unchanged"):
        backup.restore(STAGING, DUMP, yes=True)
    assert engine.options["shop-restore"][-1] == "--back"
    assert maintenance_since(DeployTarget(STAGING, engine)) == ""
    assert received(engine) == [("restore", "failed; the data is unchanged")]


def test_data_that_do_not_come_back_leave_the_site_closed(
    engine: FakeSwarm, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_everything(*_: object) -> None:
        engine.ends[POSTGRES] = "failed"
        raise CheckFailedError("the API answers 500", hint="look")

    monkeypatch.setattr(backup, "run_smoke_test", break_everything)
    with pytest.raises(RollbackFailedError, match="and undoing the restore failed"):
        backup.restore(STAGING, DUMP, yes=True)
    assert maintenance_since(DeployTarget(STAGING, engine))
    assert received(engine) == [("restore", "failed; the site stays closed")]
    del site


def test_a_dump_that_cannot_be_restored_changes_nothing(
    engine: FakeSwarm, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise JobFailedError("shop-restore: exit code 1", hint="")

    monkeypatch.setattr(Database, "restore", refuse)
    with pytest.raises(JobFailedError):
        backup.restore(STAGING, DUMP, yes=True)
    assert site.closed == []
    assert maintenance_since(DeployTarget(STAGING, engine)) == ""


def test_a_site_that_was_closed_stays_closed(engine: FakeSwarm, site: Site) -> None:
    enable(DeployTarget(STAGING, engine))
    backup.restore(STAGING, DUMP, yes=True)
    assert maintenance_since(DeployTarget(STAGING, engine))
    assert site.closed == [True]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("name", "fault"), [(None, "no dump was given"), ("v9", "no such dump: `v9`")]
)
def test_a_dump_that_there_is_not_is_refused_with_those_that_there_are(
    engine: FakeSwarm, name: str | None, fault: str
) -> None:
    with pytest.raises(InputError, match=fault) as caught:
        backup.restore(STAGING, name, yes=True)
    assert caught.value.hint == f"use --from with one of: {DUMP}"
    assert received(engine) == []


@pytest.mark.usefixtures("site")
def test_a_person_has_to_agree_wherever_it_is(engine: FakeSwarm) -> None:
    with pytest.raises(InputError, match="not confirmed: replace all data of staging"):
        backup.restore(STAGING, DUMP)
    assert "shop-restore" not in engine.options


@pytest.mark.usefixtures("site")
def test_a_dump_is_made_when_somebody_wants_one(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    backup.backup(STAGING)
    assert capsys.readouterr().out.endswith("Z-v1.0.1\n")
    assert received(engine) == [("backup", "succeeded")]
    assert "shop-lock" not in engine.objects("config")


@pytest.mark.usefixtures("site")
def test_where_nothing_serves_there_is_nothing_to_dump(engine: FakeSwarm) -> None:
    engine.objects("config").clear()
    with pytest.raises(InputError, match="no release serves in staging yet"):
        backup.backup(STAGING)
