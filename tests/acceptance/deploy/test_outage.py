"""G of the catalogue: a site that does not serve, and the way out of that."""

import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline.errors import OutageError
from pipeline.process import CommandResult
from pipeline.rehearsal.workspace import CAUTIOUS_TIMINGS, FAST_TIMINGS
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, docker, migration_layer
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK, STOPPED, USERS_END_IT, WSGI
from tests.acceptance.deploy.test_migrations import COLUMN, MIGRATION, marked
from tests.acceptance.deploy.test_preflight import FAILED, INPUT
from tests.waiting import until

MANY = 100_000  # requests that may fail, of a site that is down
THIRD_PARTY = (
    "from django.db import connection",
    "def dependent(environ, start, answer=application):",
    "    with connection.cursor() as cursor:",
    '        cursor.execute("SELECT to_regclass(%s) IS NULL", ["gone"])',
    '        if cursor.fetchone()[0] or "{}" not in environ["PATH_INFO"]:',
    "            return answer(environ, start)",
    '    start("500 Internal Server Error", []); return [b""]',
    "application = dependent",
)
"""A server that fails for some paths as soon as the database has a table of that name."""


def dependent(path: str) -> str:
    """Return the layer whose server needs what goes away later."""
    return append_layer(WSGI, *(line.replace("{}", path) for line in THIRD_PARTY))


@pytest.fixture
def fragile(site: LiveSite) -> Iterator[LiveSite]:
    """A site whose live release its own health check ends, once a table is there."""
    assert site.deploy(site.variants.release(dependent("/"))).returncode == 0
    yield site
    site.sql("DROP TABLE IF EXISTS gone;")


def after_outage(site: LiveSite, act: Callable[[], CommandResult]) -> CommandResult:
    """Take the replicas of the live release down, while users are at work; then act."""
    site.sql("CREATE TABLE gone();")
    until(lambda: not site.containers("backend"), "the replicas are not ended")
    return act()


@pytest.mark.fault("G1", "a live release whose replicas are dead: back to the one before")
def test_g1_a_rollback_gets_a_site_out_of_an_outage(fragile: LiveSite, case: FaultCase) -> None:
    act = partial(after_outage, fragile, fragile.rollback)
    said = case.assert_served(act, "smoke done", failures=MANY)
    assert "this deploy ends an outage" in said


@pytest.mark.fault("G2", "a live release whose replicas are dead: on to another one")
def test_g2_a_fix_gets_a_site_out_of_an_outage(fragile: LiveSite, case: FaultCase) -> None:
    commit = fragile.variants.release("LABEL fix=1")
    act = partial(after_outage, fragile, partial(fragile.deploy, commit))
    case.assert_served(act, "smoke done", failures=MANY)
    assert fragile.rollback(f"--to=sha-{fragile.first[:12]}").returncode == 0


@pytest.mark.fault("G3", "a live release whose replicas are dead, and a fix that dies under users")
def test_g3_a_fix_that_fails_makes_way_for_what_served(fragile: LiveSite, case: FaultCase) -> None:
    with fragile.with_config(FAST_TIMINGS, CAUTIOUS_TIMINGS):
        commit = fragile.variants.release(USERS_END_IT)
        act = partial(after_outage, fragile, partial(fragile.deploy, commit))
        said = case.assert_served(act, "did not serve before", codes={ROLLED_BACK}, failures=MANY)
    assert f"sha-{fragile.first[:12]} serves instead" in said


@pytest.mark.fault("G4", "a live release that runs, and is not ready any more")
def test_g4_a_release_that_is_not_ready_is_replaced(site: LiveSite, case: FaultCase) -> None:
    layer = dependent("/api/v1/health/ready")
    assert site.deploy(site.variants.release(layer)).returncode == 0
    site.sql("CREATE TABLE gone();")
    try:
        case.assert_served(lambda: site.deploy(site.first), "smoke done", failures=MANY)
    finally:
        site.sql("DROP TABLE gone;")


@pytest.mark.fault("G5", "a Redis that is gone")
def test_g5_what_users_cannot_reach_is_told_as_an_outage(site: LiveSite, case: FaultCase) -> None:
    redis = site.service("redis")

    def act() -> CommandResult:
        docker("service", "scale", "--detach", f"{redis}=0")
        until(lambda: site.ask("/api/v1/health/ready/") == 503, "the site is ready still")
        found = site.yard.invoke("status", "--env=staging")
        assert found.returncode == OutageError.exit_code, found.stdout
        assert "redis has 0 of 1 replicas" in found.stdout
        assert "users cannot open the site" in found.stdout
        assert site.yard.invoke("doctor", "--env=staging").returncode == 1
        return site.deploy(site.first)  # which is live, and brings Redis back

    case.assert_served(act, "smoke done", failures=MANY)


BROKEN_PART = (
    "def partly(environ, start, answer=application):",
    '    if "/rare/" not in environ["PATH_INFO"]: return answer(environ, start)',
    '    start("500 Internal Server Error", []); return [b""]',
    "application = partly",
)


@pytest.mark.fault("G6", "an endpoint that fails for all users, and few ask for")
def test_g6_a_small_part_that_fails_is_undone(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, *BROKEN_PART))
    with asked_now_and_then(site, "/api/v1/rare/"):
        at = "requests for /api/v1/rare failed since the roll began"
        case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at=at)


@contextmanager
def asked_now_and_then(site: LiveSite, path: str) -> Iterator[None]:
    """Ask for a path twice a second meanwhile."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.5):
            site.ask(path)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.fault("G7", "another secret key, in one step")
def test_g7_members_are_not_logged_out(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL key=1")
    key = {"DJANGO_SECRET_KEY": secrets.token_urlsafe(60)}
    at = "users would be logged out"
    said = case.assert_caught(lambda: site.deploy(commit, **key), code=STOPPED, at=at)
    assert "preview failed" in said


@pytest.mark.fault("G8", "a page without a part that it loads later")
def test_g8_a_part_that_is_loaded_later_is_asked_for(site: LiveSite, case: FaultCase) -> None:
    gone = "RUN sed -i s,assets/form-,assets/gone-, /srv/www/asset-manifest.json"
    commit = site.variants.release(frontend=gone)
    said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert "GET /assets/gone-" in said


@pytest.mark.fault("G9", "an index that cannot be made, and is left invalid")
def test_g9_an_invalid_index_is_named_until_it_is_gone(site: LiveSite, case: FaultCase) -> None:
    site.sql("CREATE TABLE twins AS SELECT 1 AS one FROM generate_series(1, 2);")
    index = 'migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY twin ON twins (one)", "SELECT 1")'
    layer = migration_layer("9992_index", index)
    commit = site.variants.release(layer.replace("    oper", "    atomic = False\n    oper"))
    try:
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")
        again = site.deploy(commit)
        assert again.returncode == STOPPED, again.stderr
        assert "is invalid: DROP INDEX CONCURRENTLY twin" in again.stderr
    finally:
        site.sql("DROP TABLE twins;")


LOST = (
    "import pathlib, psycopg",
    'url = pathlib.Path("/run/secrets/DATABASE_URL").read_text().strip()',
    "with psycopg.connect(url) as third:",
    '    if third.execute("SELECT to_regclass($$gone$$)").fetchone()[0]:',
    '        raise SystemExit("what the settings need is gone")',
)
"""Settings that cannot be read any more as soon as the database has a table of that name."""
SETTINGS = "config/settings/production.py"


def mortal(*layers: str) -> str:
    """Return the layers of a release of which later no container, nor any command, starts."""
    return "\n".join([dependent("/"), append_layer(SETTINGS, *LOST), *layers])


@contextmanager
def doomed(site: LiveSite, *layers: str) -> Iterator[None]:
    """Have such a release live."""
    assert site.deploy(site.variants.release(mortal(*layers))).returncode == 0
    try:
        yield
    finally:
        site.sql("DROP TABLE IF EXISTS gone;")


@pytest.mark.fault(
    "G10", "a live release whose image cannot run any command: back over a migration"
)
def test_g10_a_dead_image_does_not_bar_the_way_back_from_itself(
    site: LiveSite, case: FaultCase
) -> None:
    with doomed(site, migration_layer("9980_adds", COLUMN.format("adds"))):
        act = partial(after_outage, site, site.rollback)
        said = case.assert_served(act, "smoke done", failures=MANY)
    assert "cannot report its contract migrations" in said
    assert_not_judged(said, "projects.9980_adds")


def assert_not_judged(said: str, migration: str) -> None:
    """See to it that a rollback says of a migration that it was inconclusive."""
    assert re.search(
        rf"inconclusive: whether older code is compatible with .*{re.escape(migration)}", said
    )


@pytest.mark.fault("G11", "a dead image, and a good release that knows of a contract before it")
def test_g11_another_good_release_tells_of_a_contract(site: LiveSite, case: FaultCase) -> None:
    both = f'{COLUMN.format("brief")}, migrations.RemoveField("project", "brief")'
    contract = marked(migration_layer("9979_contract", both))
    between = site.variants.release(contract)
    assert site.deploy(between).returncode == 0

    def back() -> CommandResult:
        refused = site.rollback(f"--to=sha-{site.first[:12]}")
        assert site.rollback(f"--to=sha-{between[:12]}").returncode == 0
        return refused

    with doomed(site, contract):
        at = "cannot roll back over projects.9979_contract"
        act = partial(after_outage, site, back)
        case.assert_served(act, at, codes={INPUT}, failures=MANY)
    site.sql("DELETE FROM django_migrations WHERE name = '9979_contract';")
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0


@pytest.mark.fault("G12", "a live release whose image was deleted from registry and engine")
def test_g12_rollback_from_deleted_image(site: LiveSite, case: FaultCase) -> None:
    """The engine restores an image from its layers as long as a container uses them."""
    commit = site.variants.release(migration_layer("9978_adds", COLUMN.format("adds_more")))
    assert site.deploy(commit).returncode == 0
    site.forget_here(commit)
    site.forget(site.image(commit))
    assert "inconclusive" not in case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("G13", "a release to go back to whose image is gone everywhere")
def test_g13_what_cannot_run_is_not_gone_back_to(site: LiveSite, case: FaultCase) -> None:
    older, newer = (site.variants.release(f"LABEL step={step}") for step in ("1", "2"))
    for commit in (older, newer):
        assert site.deploy(commit).returncode == 0
    site.forget_here(older)
    site.forget(site.image(older))
    said = case.assert_caught(site.rollback, code=FAILED, at="cannot run here")
    assert "the registry has no" in said
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0


@pytest.mark.fault("G14", "a live release whose image cannot run any command: on to another one")
def test_g14_a_fix_gets_a_site_out_of_a_dead_image(site: LiveSite, case: FaultCase) -> None:
    def fix() -> CommandResult:
        return site.deploy(site.variants.release("LABEL fix=2"))

    with doomed(site, migration_layer("9977_adds", COLUMN.format("adds_last"))):
        case.assert_served(partial(after_outage, site, fix), "smoke done", failures=MANY)
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0
