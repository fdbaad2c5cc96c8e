"""Environments in pipeline.toml are checked strictly, and all errors are reported at once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import get_environment as named
from pipeline.config import load
from pipeline.environments import REQUIRED_SECRETS, Environment, Timings
from pipeline.errors import InputError
from tests import settings
from tests.conftest import ROOT
from tests.unit.deploy.factories import make_environment

LEAST = {"url": "https://shop.example.com", "allowed_refs": ["main"]}
HOST = "ssh://deploy@example.com"
KEY = "example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZA7S"


def read(**entries: Any) -> Mapping[str, Environment]:  # noqa: ANN401 - TOML
    return settings.settings({"environments": entries}).environments


def refused(**entries: Any) -> list[str]:  # noqa: ANN401
    with pytest.raises(InputError) as caught:
        read(**entries)
    return [re.sub(r"^pipeline\.toml:\d+: ", "", line) for line in str(caught.value).splitlines()]


def test_what_is_not_said_has_a_default() -> None:
    found = read(staging=LEAST)["staging"]
    assert (found.name, found.stack, found.host, found.port) == ("staging", "shop-staging", "", 443)
    assert (found.replicas, found.promote_from, found.confirm, found.managed_data) == (
        2,
        "",
        False,
        False,
    )
    assert found.timings == Timings()


def test_all_faults_of_the_file_are_told_at_once_with_their_paths() -> None:
    found = refused(
        staging={
            **LEAST,
            "url": "shop.example.com",
            "replicas": 0,
            "timings": {"preview_soak": -1},
        },
        production={"allowed_refs": [], "host": "deploy@example.com", "variables": {"debug": "1"}},
        test=3,
    )
    assert [fault.partition(": ")[0] for fault in found] == [
        "environments.test",
        "environments.staging.url",
        "environments.staging.replicas",
        "environments.staging.timings.preview_soak",
        "environments.production",
        "environments.production.allowed_refs",
        "environments.production.host",
        "environments.production.host",
        "environments.production.variables.debug",
    ]


@pytest.mark.parametrize(
    ("entry", "path", "meant"),
    [
        ({**LEAST, "replica": 3}, "environments.staging.replica", "replicas"),
        (
            {**LEAST, "timings": {"preview_sock": 3}},
            "environments.staging.timings.preview_sock",
            "preview_soak",
        ),
    ],
)
def test_a_key_without_a_reader_is_refused(entry: dict[str, Any], path: str, meant: str) -> None:
    assert refused(staging=entry) == [f"{path}: there is no such key; did you mean `{meant}`?"]


def test_secrets() -> None:
    found = read(
        staging={**LEAST, "managed_data": True},
        production={**LEAST, "required_secrets": ["METRICS_TOKEN"]},
    )
    common = {*REQUIRED_SECRETS, "DATABASE_URL"}
    assert {*found["staging"].secrets} == {*common, "POSTGRES_PASSWORD"}
    assert {*found["production"].secrets} == {*common, "METRICS_TOKEN"}
    smoke_user = ["SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD"]
    assert found["production"].app_secrets == ["DATABASE_URL", "METRICS_TOKEN", *smoke_user]


def test_dump_without_database_url() -> None:
    with pytest.raises(InputError, match="no secret `DATABASE_URL`"):
        settings.settings({"environments": {"staging": LEAST}, "secrets": None})
    without = {**LEAST, "backup_before_migrate": False}
    settings.settings({"environments": {"staging": without}, "secrets": None})


def test_variable_that_is_a_secret_is_refused() -> None:
    entry = {**LEAST, "variables": {"DATABASE_URL": "1", "DEBUG": "1"}}
    assert refused(staging=entry) == [
        "environments.staging.variables.DATABASE_URL: it is a secret, so its value must not be here"
    ]


@pytest.mark.parametrize("key", ["common_secrets", "optional_secrets"])
def test_derived_key_is_refused(key: str) -> None:
    assert refused(staging={**LEAST, key: ["DATABASE_URL", "DEBUG"]}) == [
        f"environments.staging.{key}: there is no such key: the table `secrets` lists them"
    ]


def test_secret_in_both_lists_is_refused() -> None:
    both = {"required": ["DATABASE_URL", "A"], "optional": ["A"]}
    with pytest.raises(InputError, match=r"secrets\.optional\[0\]: `A` is required already"):
        settings.settings({"environments": {"staging": LEAST}, "secrets": both})


def test_a_host_needs_its_keys_so_that_nobody_else_is_taken_for_it() -> None:
    assert refused(staging={**LEAST, "host": HOST}) == [
        "environments.staging.host: it needs its keys in known_hosts, as ssh-keyscan prints them"
    ]
    (fault,) = refused(staging={**LEAST, "host": HOST, "known_hosts": ["example.com"]})
    assert fault.startswith("environments.staging.known_hosts[0]: ")


def test_an_environment_to_serve_in_before_has_to_exist() -> None:
    faults = refused(staging=LEAST, production={**LEAST, "promote_from": "stagin"})
    assert faults == [
        (
            "environments.production.promote_from: there is no environment `stagin`; "
            "did you mean `staging`?"
        )
    ]


def test_environments_do_not_wait_for_each_other() -> None:
    faults = refused(a={**LEAST, "promote_from": "b"}, b={**LEAST, "promote_from": "a"})
    assert faults == [
        "environments.a.promote_from: promote_from has a cycle: a after b after a",
        "environments.b.promote_from: promote_from has a cycle: b after a after b",
    ]


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("url", "https://a:swordfish@b.example", "it must be a scheme, a host and a port only"),
        ("url", "https://shop.example.com:99999", "99999 is not a port number"),
        ("url", "", "it must be an address like https://x.org"),
        ("host", "ssh://a:swordfish@b.example", "it must be a user, a host and a port only"),
        ("host", "ssh://x@-oProxyCommand=swordfish", "it must be a user, a host and a port"),
        ("host", "ssh://-lswordfish@b.example", "the user begins with a dash"),
        ("host", "ssh://b.example:0", "0 is not a port number"),
    ],
)
def test_an_address_that_is_wrong_is_refused_and_not_repeated(
    key: str, value: str, why: str
) -> None:
    (fault,) = refused(staging={**LEAST, "known_hosts": [KEY], key: value})
    assert fault.startswith(f"environments.staging.{key}: {why}")
    assert "swordfish" not in fault


def test_a_host_may_be_left_empty() -> None:
    assert make_environment(host="", url="https://localhost").is_local


def test_a_project_whose_name_fits_no_stack_is_told_where_to_say_another() -> None:
    name = "shop-of-the-very-long-street"
    with pytest.raises(InputError, match=r": environments\.staging\.stack: "):
        settings.settings({"name": name, "environments": {"staging": LEAST}})
    entry = {**LEAST, "stack": "shop"}
    settings.settings({"name": name, "environments": {"staging": entry}})


def test_an_environment_that_does_not_exist_is_an_error_that_names_those_that_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    both = {"staging": LEAST, "production": LEAST}
    Path("pipeline.toml").write_text(settings.text({"environments": both}))
    assert named("staging").stack == "shop-staging"
    with pytest.raises(InputError, match="no such environment: `prod`") as caught:
        named("prod")
    assert caught.value.hint == "environments: staging, production"


def test_this_repository_s_own_environments_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load().environments["local"].is_local


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({"url": "https://localhost:8443"}, True),
        ({"url": "http://127.0.0.1"}, True),
        ({"url": "https://[::1]:8443"}, True),
        ({"url": "https://localhost", "host": HOST, "known_hosts": [KEY]}, False),
        ({"url": "https://localhost.example.com"}, False),
        ({"url": "https://shop.example.com"}, False),
    ],
)
def test_only_a_site_of_this_machine_on_this_machine_is_local(
    given: dict[str, Any], *, local: bool
) -> None:
    assert make_environment(**given).is_local is local


@pytest.mark.parametrize(
    ("ref", "allowed"),
    [("main", True), ("v1.2.3", True), ("Main", False), ("feature/v1", False), ("domain", False)],
)
def test_a_ref_is_allowed_by_a_pattern_that_it_fits_wholly(ref: str, *, allowed: bool) -> None:
    assert make_environment(allowed_refs=["main", "v*"]).allows_ref(ref) is allowed


def test_a_roll_is_stuck_only_after_all_that_it_may_take() -> None:
    times = Timings(start_timeout=60, delay=10, drain=5, stop_grace_period=45, monitor=15)
    deadlines = [
        make_environment(replicas=each, timings=times).rollout_timeout for each in (1, 2, 3)
    ]
    assert deadlines == [285, 405, 525]
    assert all(
        deadline > replicas * (60 + 10 + 5 + 45) + 15
        for replicas, deadline in enumerate(deadlines, 1)
    )


def test_a_replica_is_given_longer_to_stop_than_it_serves_on() -> None:
    output = "environments.staging.timings.stop_grace_period: a replica drains for 50 s"
    for timings in ({"drain": 50}, {"drain": 50, "stop_grace_period": 50}):
        (fault,) = refused(staging={**LEAST, "timings": timings})
        assert fault.startswith(output)
