"""An edge is replaced by a tested one, and restored if users do not reach the site."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.deploy.cluster import start_failures
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.commands import edge, site
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.edge import EDGE_CONFIG_FILE
from pipeline.deploy.rollout.infrastructure import ensure_infrastructure
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import entries
from pipeline.environments import Timings
from pipeline.errors import CheckFailedError, InputError, RollbackFailedError, RolledBackError
from pipeline.images.registry import NotFoundError
from pipeline.process import capture
from tests.clock import Clock
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm
from tests.unit.deploy.tls import made, signed

STAGING = make_environment(
    timings=Timings(**{**vars(INSTANT_TIMINGS), "start_timeout": 60, "monitor": 15})
)
Pair = tuple[str, str]
Wrong = Callable[[Path, Pair], Pair]
Certify = Callable[[Wrong], None]


@pytest.fixture
def live(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, pair: Pair) -> FakeSwarm:
    """An engine on which a release serves behind an edge."""
    values = {name: f"swordfish-{name}" for name in STAGING.secrets}
    values |= zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    entry = new_record(make_release(1), render_services(STAGING, make_release(1)), [], "deploy")
    journal.record_start(engine, "shop", entry)
    journal.record_end(engine, "shop", entry, journal.SUCCEEDED)
    ensure_infrastructure(DeployTarget(STAGING, engine, values), make_release(1).images)
    engine.requested.clear()
    return engine


@pytest.fixture
def certify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair) -> Certify:
    """Have another certificate and key, made from the good ones."""

    def certify(wrong: Wrong) -> None:
        for name, value in zip(("TLS_CERTIFICATE", "TLS_KEY"), wrong(tmp_path, pair), strict=True):
            monkeypatch.setenv(name, value)

    return certify


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notifications."""
    received: list[str] = []
    monkeypatch.setenv("NOTIFY_URL", "https://hooks.example.com/x")
    monkeypatch.setattr(
        "pipeline.deploy.rollout.notify.post",
        lambda _, content: received.append(str(content["text"])),
    )
    return received


def edge_service(engine: FakeSwarm) -> str:
    return json.dumps(engine.objects("service")["shop_edge"]["Spec"], sort_keys=True)


def outcomes(engine: FakeSwarm) -> list[tuple[str, str]]:
    return [(act.kind, act.outcome) for act in entries(engine, "shop")]


def test_an_edge_is_started_anew_and_that_is_told(live: FakeSwarm, received: list[str]) -> None:
    edge.renew_edge(STAGING)
    assert len(live.tasks_of("shop_edge")) == 2
    assert live.requested.count("stack deploy shop") == 1
    assert outcomes(live) == [("renew", "succeeded")]
    assert received[0].startswith("renew of the edge to staging: succeeded")


def test_where_nothing_serves_there_is_no_edge_to_renew(
    live: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in live.names_with_label("config", "label=pipeline.journal.shop"):
        del live.objects("config")[name]
    with pytest.raises(InputError, match="no release serves in staging yet"):
        edge.renew_edge(STAGING)
    assert "swordfish" not in capsys.readouterr().err


def of_another(folder: Path, pair: Pair) -> Pair:
    return pair[0], signed(folder, "DNS:shop.example.com")[1]


def expired(folder: Path, _: Pair) -> Pair:
    return signed(folder, "DNS:shop.example.com", days=-1)


def for_another(folder: Path, _: Pair) -> Pair:
    return signed(folder, "DNS:www.example.org")


def without_names(folder: Path, _: Pair) -> Pair:
    return signed(folder)


def turned_chain(folder: Path, pair: Pair) -> Pair:
    return f"{signed(folder, 'DNS:ca.example.org')[0]}{pair[0]}", pair[1]


def key_alone(_: Path, pair: Pair) -> Pair:
    return pair[1], pair[1]


def exchanged(_: Path, pair: Pair) -> Pair:
    return pair[1], pair[0]


def no_pem(_: Path, pair: Pair) -> Pair:
    return "swordfish", pair[1]


def blank(_: Path, pair: Pair) -> Pair:
    return " ", pair[1]


def path_of_a_file(_: Path, pair: Pair) -> Pair:
    return pair[0], "/etc/ssl/swordfish.key"


def path_of_a_directory(folder: Path, _: Pair) -> Pair:
    return f"{folder}/", f"{folder}/"


def locked(folder: Path, pair: Pair) -> Pair:
    (folder / "open").write_text(pair[1])
    command = ["openssl", "pkcs8", "-topk8", "-in", "open", "-passout", "pass:swordfish"]
    return pair[0], capture(command, cwd=folder).stdout


def cut_off(_: Path, pair: Pair) -> Pair:
    return pair[0][: len(pair[0]) // 2], pair[1]


def not_yet(_: Path, __: Pair) -> Pair:
    later = datetime.now(UTC) + timedelta(days=9)
    return made(later, later + timedelta(days=9))


UNREAD = "TLS_CERTIFICATE and TLS_KEY cannot be read: "
REFUSED: dict[str, tuple[Wrong, str]] = {
    "pair": (of_another, "TLS_KEY does not belong to TLS_CERTIFICATE"),
    "ended": (expired, "certificate has expired"),
    "not yet": (not_yet, "certificate is not yet valid"),
    "another name": (for_another, "is not valid for shop.example.com"),
    "no name": (without_names, "is not valid for shop.example.com"),
    "chain": (turned_chain, "or to the first certificate in it"),
    "key alone": (key_alone, f"{UNREAD}TLS_CERTIFICATE holds no certificate, but: private key"),
    "exchanged": (exchanged, "private key; TLS_KEY holds no private key, but: certificate"),
    "no PEM": (no_pem, f"{UNREAD}TLS_CERTIFICATE holds no PEM"),
    "blank": (blank, f"{UNREAD}TLS_CERTIFICATE is empty"),
    "file": (path_of_a_file, f"{UNREAD}TLS_KEY holds the path of a file instead of its content"),
    "directory": (path_of_a_directory, "content; TLS_KEY holds the path of a file instead of"),
    "passphrase": (locked, f"{UNREAD}TLS_KEY has a passphrase"),
    "cut off": (cut_off, UNREAD),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_browser_would_take_touches_nothing_and_is_told(
    live: FakeSwarm, received: list[str], certify: Certify, case: str
) -> None:
    wrong, output = REFUSED[case]
    before = edge_service(live)
    certify(wrong)
    with pytest.raises(InputError, match=f"{output}.*; nothing was changed") as caught:
        edge.renew_edge(STAGING)
    assert edge_service(live) == before
    assert not [line for line in live.requested if line.startswith(("stack", "service create"))]
    assert outcomes(live) == [("renew", "failed")]
    assert received[0].startswith("renew of the edge to staging: failed")
    assert "swordfish" not in f"{caught.value}{caught.value.hint}"


def windows(_: Path, pair: Pair) -> Pair:
    return pair[0].replace("\n", "\r\n"), pair[1].replace("\n", "\r\n")


def test_line_ends_of_another_system_are_mended(live: FakeSwarm, certify: Certify) -> None:
    certify(windows)
    edge.renew_edge(STAGING)
    assert outcomes(live) == [("renew", "succeeded")]


def shared(path: Path) -> None:
    path.write_text("OTHER=1\n")
    path.chmod(0o644)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "permissions": (
        shared,
        r"^\.env\.staging is readable by other users$",
        "chmod 600 .env.staging",
    ),
    "directory": (Path.mkdir, r"^\.env\.staging: is a directory$", "ls -ld .env.staging"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_of_secrets_that_will_not_do_touches_nothing(
    live: FakeSwarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    spoil, output, hint = UNUSABLE[case]
    monkeypatch.chdir(tmp_path)
    spoil(Path(".env.staging"))
    with pytest.raises(InputError, match=output) as caught:
        edge.renew_edge(STAGING)
    assert caught.value.hint == hint
    assert live.requested == []


def test_a_certificate_that_is_not_set_touches_nothing(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TLS_CERTIFICATE", "")
    with pytest.raises(InputError, match=r"^secrets of staging are not set: TLS_CERTIFICATE$"):
        edge.renew_edge(STAGING)
    assert live.requested == []


@pytest.mark.parametrize(
    "spoil", [Path.mkdir, Path.touch, lambda _: None], ids=["a directory", "empty", "not there"]
)
def test_a_configuration_that_cannot_be_read_touches_nothing(
    live: FakeSwarm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], object],
) -> None:
    before = edge_service(live)
    elsewhere = tmp_path / "edge.conf"
    spoil(elsewhere)
    monkeypatch.setattr("pipeline.deploy.rollout.edge.EDGE_CONFIG_FILE", elsewhere)
    with pytest.raises(InputError, match=re.escape(str(elsewhere))):
        edge.renew_edge(STAGING)
    assert edge_service(live) == before
    assert outcomes(live) == [("renew", "failed")]


def test_an_edge_whose_image_is_gone_touches_nothing(
    live: FakeSwarm, received: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def members(_: str) -> dict[str, str]:
        raise NotFoundError("the registry has no such frontend", hint="push it")

    monkeypatch.setattr(start_failures, "platform_digests", members)
    before, image = edge_service(live), make_release(1).images["frontend"]
    live.ends[image], live.errors[image] = "rejected", f"No such image: {image}"
    with pytest.raises(
        CheckFailedError, match=r"No such image.*the registry has no such"
    ) as caught:
        edge.renew_edge(STAGING)
    assert "edge.conf" not in caught.value.hint
    assert "invoke build push" in caught.value.hint
    assert edge_service(live) == before
    assert outcomes(live) == [("renew", "failed")]
    assert received


def test_an_edge_whose_port_is_taken_makes_way_and_names_what_to_do(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, image = edge_service(live), make_release(1).images["frontend"]
    verified(monkeypatch, live, "failed")
    live.errors[image] = "Bind for 0.0.0.0:443 failed: port is already allocated"
    with pytest.raises(
        RolledBackError, match="another program on the node uses its port"
    ) as caught:
        edge.renew_edge(STAGING)
    assert "ss -ltnp" in caught.value.hint
    assert edge_service(live) == before


def ends_soon(folder: Path, _: Pair) -> Pair:
    return signed(folder, "DNS:shop.example.com", days=3)


def test_a_certificate_that_ends_soon_is_taken_and_that_is_said(
    live: FakeSwarm, certify: Certify, capsys: pytest.CaptureFixture[str]
) -> None:
    certify(ends_soon)
    edge.renew_edge(STAGING)
    assert "TLS_CERTIFICATE expires in 2 days" in capsys.readouterr().err
    assert outcomes(live) == [("renew", "succeeded")]


def test_a_configuration_that_nginx_does_not_take_touches_nothing(
    live: FakeSwarm, received: list[str]
) -> None:
    """The fake swarm decides the job's end; tests/acceptance/deploy runs the real nginx."""
    before = edge_service(live)
    live.ends[make_release(1).images["frontend"]] = "failed"
    with pytest.raises(
        InputError, match="nginx rejects the edge configuration: shop-edge-check"
    ) as caught:
        edge.renew_edge(STAGING)
    assert str(EDGE_CONFIG_FILE) in caught.value.hint
    assert edge_service(live) == before
    assert received


def verified(monkeypatch: pytest.MonkeyPatch, engine: FakeSwarm, state: str) -> None:
    """Let the check of the new edge be well, and its replicas come to another state."""
    monkeypatch.setattr("pipeline.deploy.rollout.edge.test_configuration", lambda *_: None)
    engine.ends[make_release(1).images["frontend"]] = state


def test_an_edge_that_does_not_come_up_makes_way_for_the_one_before(
    live: FakeSwarm, received: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = edge_service(live)
    verified(monkeypatch, live, "rejected")
    with pytest.raises(RolledBackError, match=r"shop_edge: a replica rejected(.|\n)*serves again"):
        edge.renew_edge(STAGING)
    assert edge_service(live) == before
    assert outcomes(live) == [("renew", "rolled back")]
    assert received[0].startswith("renew of the edge to staging: rolled back")


class Users:
    """Responses to users: errors for the first requests."""

    def __init__(self, well_after: int) -> None:
        self.left = well_after

    def reach(self, *_: object) -> None:
        self.left -= 1
        if self.left >= 0:
            raise CheckFailedError("ready: got no answer: refused", hint="look")


def test_an_edge_is_given_time_until_users_reach_the_site(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "open_site", Users(3).reach)
    edge.renew_edge(STAGING)
    assert outcomes(live) == [("renew", "succeeded")]


def test_an_edge_that_users_do_not_reach_makes_way_for_the_one_before(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    before, users = edge_service(live), Users(10_000)
    monkeypatch.setattr(site, "open_site", users.reach)
    rollback = FakeSwarm.rollback_service

    def well_again(engine: FakeSwarm, name: str) -> str | None:
        users.left = 0
        return rollback(engine, name)

    monkeypatch.setattr(FakeSwarm, "rollback_service", well_again)
    with pytest.raises(RolledBackError, match="got no answer: refused"):
        edge.renew_edge(STAGING)
    assert edge_service(live) == before
    assert STAGING.timings.monitor < clock.monotonic() < STAGING.timings.start_timeout


def test_where_users_reach_it_by_neither_that_is_told_as_the_worst(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "open_site", Users(10_000).reach)
    with pytest.raises(RollbackFailedError, match="the rollback failed"):
        edge.renew_edge(STAGING)
    assert outcomes(live) == [("renew", "rollback failed")]


def test_an_edge_that_the_engine_was_not_told_of_is_not_gone_back_from(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To go back would end at what was before the one that serves."""
    before = edge_service(live)

    def refuse(*_: object) -> None:
        raise CheckFailedError("`docker stack deploy` failed", hint="look")

    monkeypatch.setattr(FakeSwarm, "deploy", refuse)
    monkeypatch.setattr("pipeline.deploy.cluster.client.SwarmClient.deploy", refuse)
    with pytest.raises(RolledBackError):
        edge.renew_edge(STAGING)
    assert edge_service(live) == before
    assert "service rollback shop_edge" not in live.requested
