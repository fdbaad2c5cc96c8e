"""An environment, a release, and a service with its tasks as the Engine API gives them."""

from typing import Any

from pipeline.deploy.cluster.stackfile import Release
from pipeline.environments import Environment, Timings
from pipeline.images.targets import ImageRef
from pipeline.toml_checker import Checker
from pipeline.toml_schema import Table
from tests.settings import changed

Object = dict[str, Any]

DIGEST = f"sha256:{'1' * 64}"
IMAGES = {name: ImageRef(f"ghcr.io/octo/shop/{name}@{DIGEST}") for name in ("backend", "frontend")}
POSTGRES = ImageRef(f"ghcr.io/octo/shop/postgres@{DIGEST}")
INSTANT_TIMINGS = Timings(
    start_timeout=5,
    preview_soak=0,
    delay=0,
    monitor=0,
    bake=0,
    drain=0,
    stop_grace_period=1,
    migrate_timeout=5,
)


def make_environment(**given: Any) -> Environment:  # noqa: ANN401 - values of TOML
    """Return an environment, with what a team has to write and what is given."""
    least = {
        "name": "staging",
        "stack": "shop",
        "url": "https://shop.example.com",
        "allowed_refs": ["main"],
        "required_secrets": ["DATABASE_URL"],
    }
    tables = {key: value for key, value in given.items() if isinstance(value, Table)}
    written = {key: value for key, value in given.items() if key not in tables}
    checker = Checker()
    found = checker.table(Environment, {**least, **written}, ())
    assert checker.faults == []
    return changed(found, **tables)


def make_release(number: int = 1) -> Release:
    """Return a release; another number is another image, under another name."""
    return Release(
        deploy_id=f"deploy-{number}",
        version=f"v1.0.{number}",
        commit=f"{number:040}",
        images={
            **{
                name: ImageRef(image.replace("1" * 64, f"{number:064}"))
                for name, image in IMAGES.items()
            },
            "postgres": POSTGRES,
        },
        secrets={"DATABASE_URL": "shop-database_url-01234567"},
    )


def make_service(
    image: str = IMAGES["backend"], deploy_id: str = "deploy-1", state: str | None = "completed"
) -> Object:
    """Return a service, as `docker inspect --type=service` prints it."""
    container = {
        "Image": image,
        "Env": ["DRAIN_SECONDS=5", f"DEPLOY_ID={deploy_id}"],
        "Isolation": "default",
    }
    status = {"State": state, "StartedAt": "2026-11-23T10:00:00.123456789Z", "Message": "update"}
    return {
        "ID": "x4z2m0iw1u0l4v5c6b7n8m9q0",
        "Version": {"Index": 1289},
        "CreatedAt": "2026-11-23T09:00:00.123456789Z",
        "Spec": {
            "Name": "shop_backend",
            "Labels": {"com.docker.stack.namespace": "shop"},
            "TaskTemplate": {"ContainerSpec": container, "ForceUpdate": 0, "Runtime": "container"},
            "Mode": {"Replicated": {"Replicas": 2}},
        },
        "Endpoint": {"Spec": {"Mode": "dnsrr"}},
        **({"UpdateStatus": status} if state else {}),
    }


def make_task(
    state: str = "running",
    desired: str = "running",
    deploy_id: str = "deploy-1",
    **status: Any,  # noqa: ANN401 - JSON
) -> Object:
    """Return a task, as `docker inspect --type=task` prints it."""
    container = {"ContainerID": "0f1e2d3c4b5a", "PID": 4242, "ExitCode": status.pop("code", 0)}
    return {
        "ID": "n1s2m3t4w5y6z7b8c9d0f1g2h",
        "Spec": {
            "ContainerSpec": {"Image": IMAGES["backend"], "Env": [f"DEPLOY_ID={deploy_id}"]},
            "ForceUpdate": 0,
        },
        "ServiceID": "x4z2m0iw1u0l4v5c6b7n8m9q0",
        "Slot": 1,
        "Status": {
            "Timestamp": "2026-11-23T10:00:07.987654321Z",
            "State": state,
            "Message": "started",
            "ContainerStatus": container,
            **status,
        },
        "DesiredState": desired,
    }
