"""What is not well is found beforehand, with a hint, and without any value."""

import json
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.commands import doctor
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.preflight import certificate, docker_engine, variables
from pipeline.deploy.preflight.model import CheckResult, run_check
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.edge import edge_config_name
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import acquire
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InconclusiveError, MissingToolError
from pipeline.process import CommandResult, capture
from pipeline.services import free_port
from pipeline.settings import Layout
from tests.conftest import ROOT
from tests.settings import changed
from tests.unit.deploy.edge import Edge
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm
from tests.unit.deploy.tls import signed

APP = ["DJANGO_SECRET_KEY", "EMAIL_URL", "FIELD_ENCRYPTION_KEY", "REDIS_URL"]
VARIABLES = {"DJANGO_ALLOWED_HOSTS": "shop.example.com", "PUBLIC_URL": "https://shop.example.com"}


def staging(**given: object) -> Environment:
    least = make_environment(timings=INSTANT_TIMINGS, variables=VARIABLES)
    return changed(least, **{"required_secrets": (*least.secrets, *APP), **given})


@pytest.fixture
def site(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]) -> FakeSwarm:
    """An engine on which a release serves, and all that is needed to deploy another one."""
    for name in staging().secrets:
        monkeypatch.setenv(name, "swordfish")
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish@db/ledger")
    for name, value in zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True):
        monkeypatch.setenv(name, value)
    entry = new_record(make_release(1), render_services(staging(), make_release(1)), [], "deploy")
    journal.record_start(engine, "shop", entry)
    journal.record_end(engine, "shop", entry, journal.SUCCEEDED)
    for name, service in entry.services.items():
        env = [f"{key}={value}" for key, value in service["environment"].items()]
        engine.start_service(f"shop_{name}", service["image"], env, 2, "running")
    engine.start_service("shop_edge", "edge", [], 1, "running")
    container = engine.objects("service")["shop_edge"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Configs"] = [{"ConfigName": edge_config_name("shop")}]
    source = secret_object_name("shop", "TLS_CERTIFICATE", pair[0])
    container["Secrets"] = [{"SecretName": source}]
    engine.facts["run"] = "Filesystem\noverlay 100 50 52428800 50% /"
    monkeypatch.setattr(docker_engine, "capture", lambda _: CommandResult((), 0, "{}", ""))
    monkeypatch.setattr(docker_engine, "check_tool", lambda name: f"/bin/{name}")
    return engine


def found(given: Environment | None = None) -> dict[str, CheckResult]:
    return {each.check: each for each in doctor.run_checks(given or staging())}


def not_ok(given: Environment | None = None) -> dict[str, str]:
    return {name: each.what for name, each in found(given).items() if each.state == "not ok"}


def test_where_all_is_well_it_says_so_line_by_line(
    site: FakeSwarm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variables, "check_workflow_secrets", lambda _: "13 secrets are passed")
    before = json.dumps(site.kinds)
    assert doctor.doctor(staging()) == 0
    out = capsys.readouterr().out
    assert all(line.split()[1] == "ok" for line in out.splitlines())
    assert "swordfish" not in out
    assert json.dumps(site.kinds) == before, "it changed something"


def test_what_could_not_be_looked_at_is_listed_and_red_only_where_all_must_be(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del site
    monkeypatch.setattr("pipeline.errors.INCONCLUSIVE_DIR", tmp_path)
    with pytest.raises(
        InconclusiveError, match=r"^doctor: some checks were inconclusive: workflow$"
    ):
        doctor.doctor(staging(name="elsewhere"))


def test_what_is_wrong_is_told_with_a_hint_and_a_code(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del site
    monkeypatch.delenv("REDIS_URL")
    assert doctor.doctor(staging()) == 1
    out = capsys.readouterr().out
    assert "not ok        secrets of staging are not set: REDIS_URL" in out
    assert "certificate  inconclusive  the secrets are not set here" in out
    assert "hint: set them as variables" in out


def test_an_address_that_no_dump_could_use_is_found(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    del site
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish@db/ledger?pool=true")
    database = found()["database"]
    assert (database.state, database.what) == (
        "not ok",
        "DATABASE_URL cannot be read: `pool` is not an allowed parameter",
    )
    assert (
        found(staging(backup_before_migrate=False))["database"].what == "its host makes the dumps"
    )


def test_an_engine_that_is_too_old_is_asked_no_more(site: FakeSwarm) -> None:
    site.facts["version"] = "28.2.2 19.03.1"
    found_now = found()
    assert found_now["engine"].state == "not ok"
    assert "jobs need that engine" in found_now["engine"].what
    assert "swarm" not in found_now


def test_a_host_out_of_reach_is_told_with_what_to_correct(site: FakeSwarm) -> None:
    del site
    away = staging(host=f"ssh://deploy@127.0.0.1:{free_port()}", known_hosts=("h ssh-rsa AAAA",))
    engine = found(away)["engine"]
    assert "cannot be reached: " in engine.what
    assert engine.hint.startswith("check `host` and `known_hosts`")


def test_a_node_that_takes_no_work_is_named(site: FakeSwarm) -> None:
    site.facts["node"] = "one Ready Active\ntwo Down Active\nthree Ready Drain"
    assert not_ok() == {"swarm": "a node takes no tasks: two Down Active, three Ready Drain"}


def test_a_clock_that_goes_wrong_is_found(site: FakeSwarm) -> None:
    site.late[0] = 60
    assert "differ by" in not_ok()["clock"]


def test_a_disk_that_is_nearly_full_is_found(site: FakeSwarm) -> None:
    site.facts["run"] = "Filesystem\noverlay 100 95 5 95% /"
    assert not_ok() == {"disk": "it is 95 % full"}


@pytest.mark.parametrize(
    ("output", "what", "hint"),
    [
        (
            "ERROR: unauthorized: authentication required",
            "ghcr.io denies access",
            "docker login ghcr.io",
        ),
        ("ERROR: dial tcp: i/o timeout", "ghcr.io does not serve", "check the registry"),
        ("ERROR: manifest unknown", "ghcr.io does not serve", "check the registry"),
    ],
)
def test_a_registry_that_does_not_hand_out_what_is_live_is_found(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch, output: str, what: str, hint: str
) -> None:
    del site
    monkeypatch.setattr(docker_engine, "capture", lambda _: CommandResult((), 1, "", output))
    registry = found()["registry"]
    assert registry.what.startswith(what)
    assert registry.hint.startswith(hint)


def test_a_registry_without_this_commit_answers_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        docker_engine, "capture", lambda _: CommandResult((), 1, "", "ERROR: x: not found")
    )
    monkeypatch.setattr(docker_engine, "repository_for", lambda name: f"ghcr.io/octo/shop/{name}")
    assert docker_engine.check_registry(None) == "ghcr.io answers; it has no image of this commit"


def test_a_lock_is_no_fault_while_its_holder_lives(site: FakeSwarm) -> None:
    acquire(site, "shop", "deploy v2")
    assert found()["lock"].state == "ok"
    site.late[0] = 61
    assert "without a heartbeat" in not_ok()["lock"]


def test_a_deployment_that_never_ended_is_found(site: FakeSwarm) -> None:
    known = journal.entries(site, "shop")
    journal.record_start(site, "shop", replace(known[0], number=2, outcome="", version="v2"))
    assert not_ok() == {"journal": "the deploy of v2 never ended"}


def test_a_release_that_does_not_run_as_the_journal_says_is_found(site: FakeSwarm) -> None:
    site.remove_services("shop_frontend")
    assert not_ok() == {"release": "frontend is missing"}


def test_workers_that_died_are_found_and_replicas_that_do_not_tell(
    site: FakeSwarm, edge: Edge
) -> None:
    assert found()["workers"].what.endswith("2 of 2 replicas report")
    image = make_release(1).images["backend"]
    site.died[image] = 2
    died = found()["workers"]
    assert died.state == "not ok"
    assert died.what.startswith("2 workers of shop_backend.1 (container ")
    assert died.hint.startswith("docker service logs shop_backend: ")
    edge.silent.add(image)
    silent = found()["workers"]
    assert (silent.state, silent.what) == ("inconclusive", "0 of 2 replicas report")


def test_an_edge_of_yesterday_is_found(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]
) -> None:
    monkeypatch.setenv("TLS_CERTIFICATE", pair[0] * 2)
    container = site.objects("service")["shop_edge"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Configs"] = [{"ConfigName": "shop-edge-01234567"}]
    edge = found()["edge"]
    assert (edge.state, edge.what) == ("not ok", "it runs another certificate and configuration")
    assert edge.hint == "invoke renew-edge"


def test_before_the_first_deploy_what_is_not_there_is_not_judged(
    engine: FakeSwarm, site: FakeSwarm
) -> None:
    del site
    for kind in ("config", "service"):
        engine.objects(kind).clear()
    states = {name: each.state for name, each in found().items()}
    assert {name for name, state in states.items() if state == "inconclusive"} >= {
        "disk",
        "release",
        "edge",
    }


@pytest.mark.usefixtures("engine")
class TestNames:
    def test_this_repository_s_own_agree(self) -> None:
        assert variables.check_env_example().endswith(" variables")

    def test_a_variable_that_the_app_needs_and_nobody_tells_is_named(self) -> None:
        received = "EMAIL_URL, FIELD_ENCRYPTION_KEY, PUBLIC_URL, REDIS_URL"
        with pytest.raises(CheckFailedError, match=f"requires DJANGO_ALLOWED_HOSTS, {received}"):
            variables.check_required_variables(
                make_environment(
                    required_secrets=[*make_environment().secrets, "DJANGO_SECRET_KEY"]
                )
            )
        assert variables.check_required_variables(staging())

    def test_a_variable_that_nobody_reads_is_named(self) -> None:
        with pytest.raises(
            CheckFailedError, match=r"^the app does not read DJANGO_HOSTS, SENTRY_URL$"
        ):
            variables.check_unused_variables(
                staging(
                    variables={**VARIABLES, "DJANGO_HOSTS": "a", "WORKERS": "3"},
                    required_secrets=[*staging().secrets, "SENTRY_URL", "NOTIFY_URL"],
                )
            )

    def test_a_secret_that_the_workflow_does_not_hand_on_is_named(self) -> None:
        with pytest.raises(CheckFailedError, match=r"deploy\.yml does not pass SENTRY_DSN$"):
            variables.check_workflow_secrets(
                staging(required_secrets=[*staging().secrets, "SENTRY_DSN"])
            )
        assert variables.check_workflow_secrets(staging()).endswith(" secrets are passed")

    def test_an_example_that_lacks_a_variable_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stale = tmp_path / ".env.example"
        text = (ROOT / Layout().env_example).read_text()
        stale.write_text(text.replace("LOG_LEVEL=", "LOGLEVEL="))
        monkeypatch.setattr(Layout, "env_example", stale)
        with pytest.raises(CheckFailedError, match="differ in LOGLEVEL, LOG_LEVEL"):
            variables.check_env_example()


class TestCertificate:
    def test_one_that_fits_is_told_with_its_end(self, pair: tuple[str, str]) -> None:
        received = capture(["openssl", "x509", "-noout", "-enddate"], stdin=pair[0]).stdout
        seconds = ssl.cert_time_to_seconds(received.strip().removeprefix("notAfter="))
        end = datetime.fromtimestamp(seconds, UTC)
        assert (
            certificate.check_certificate(*pair, "https://shop.example.com:8443")
            == f"valid until {end:%Y-%m-%d}"
        )

    def test_one_for_another_site_is_refused(self, pair: tuple[str, str]) -> None:
        with pytest.raises(CheckFailedError, match=r"is not valid for www\.example\.com: Hostname"):
            certificate.check_certificate(*pair, "https://www.example.com")

    def test_a_key_of_another_one_is_refused(self, pair: tuple[str, str]) -> None:
        other = capture(["openssl", "genpkey", "-algorithm", "ed25519"]).stdout
        with pytest.raises(CheckFailedError, match="TLS_KEY does not belong to TLS_CERTIFICATE"):
            certificate.check_certificate(pair[0], other, "https://shop.example.com")

    @pytest.mark.parametrize("broken", [(0, "swordfish"), (1, "swordfish")])
    def test_what_is_no_pem_is_refused_without_repeating_it(
        self, pair: tuple[str, str], broken: tuple[int, str]
    ) -> None:
        given = [broken[1] if number == broken[0] else it for number, it in enumerate(pair)]
        with pytest.raises(
            CheckFailedError, match=r"(TLS_CERTIFICATE|TLS_KEY) holds no PEM"
        ) as caught:
            certificate.check_certificate(given[0], given[1], "https://shop.example.com")
        assert "swordfish" not in str(caught.value)

    @pytest.mark.parametrize(
        ("days", "output"),
        [(13, "expires in 13 days"), (1, "expires in 1 days"), (0, "has expired")],
    )
    def test_one_that_ends_soon_is_refused(self, days: int, output: str) -> None:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        with pytest.raises(CheckFailedError, match=f"TLS_CERTIFICATE {output}, on 2026-"):
            certificate.check_expiry(now + timedelta(days=days), now)
        assert certificate.check_expiry(now + timedelta(days=14), now) == "valid until 2026-12-07"

    @pytest.mark.parametrize(
        ("names", "host", "why"),
        [
            ("", "shop.example.com", "Hostname mismatch"),
            ("DNS:s*.example.com", "shop.example.com", "Hostname mismatch"),
            ("DNS:127.0.0.1", "127.0.0.1", "IP address mismatch"),
            ("IP:127.0.0.2", "127.0.0.1", "IP address mismatch"),
            ("DNS:::1", "[::1]", "IP address mismatch"),
        ],
    )
    def test_one_that_no_browser_takes_is_refused(
        self, tmp_path: Path, names: str, host: str, why: str
    ) -> None:
        with pytest.raises(CheckFailedError, match=why):
            certificate.check_certificate(*signed(tmp_path, names), f"https://{host}")

    def test_one_that_has_ended_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CheckFailedError, match="certificate has expired"):
            certificate.check_certificate(
                *signed(tmp_path, "DNS:shop.example.com", days=-1), "https://shop.example.com"
            )

    def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(
        self, pair: tuple[str, str]
    ) -> None:
        secret = capture(
            ["openssl", "pkey", "-aes128", "-passout", "pass:swordfish"], stdin=pair[1]
        )
        with pytest.raises(CheckFailedError, match="has a passphrase"):
            certificate.check_certificate(pair[0], secret.stdout, "https://shop.example.com")

    def test_its_signer_is_not_judged(self, pair: tuple[str, str], tmp_path: Path) -> None:
        chain = pair[0] + signed(tmp_path, "DNS:another.example.com")[0]
        assert certificate.check_certificate(chain, pair[1], "https://shop.example.com").startswith(
            "valid"
        )
        with pytest.raises(CheckFailedError, match="or to the first certificate in it"):
            certificate.check_certificate(
                f"{signed(tmp_path)[0]}{pair[0]}", pair[1], "https://shop.example.com"
            )


def test_a_tool_is_found_or_one_is_told_where_it_is_to_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert docker_engine.check_tool("git").endswith("git")
    monkeypatch.setenv("PATH", "/missing")
    with pytest.raises(MissingToolError) as caught:
        docker_engine.check_tool("cosign")
    assert "sigstore" in caught.value.hint


def raising(error: Exception) -> Callable[[], str]:
    def look() -> str:
        raise error

    return look


def test_a_look_is_well_or_not_or_could_not_be_taken() -> None:
    assert run_check("disk", lambda: "free") == CheckResult("disk", "ok", "free")
    assert run_check("disk", raising(CheckFailedError("full", hint="rm"))) == CheckResult(
        "disk", "not ok", "full", "rm"
    )
    assert run_check(
        "disk", raising(InconclusiveError("disk", "away", hint="wait"))
    ) == CheckResult("disk", "inconclusive", "away", "wait")
