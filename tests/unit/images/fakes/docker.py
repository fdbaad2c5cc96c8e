"""A Docker whose engine and registry are in `docker.json`; it knows only the kit's own commands.

What its answers look like was taken from the real one, which `tests/acceptance/signing` runs.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.images.fakes.call_log import HOME, fail, read, record_call, write

EMPTY: dict[str, Any] = {"images": {}, "platforms": {}, "registry": {}}
STATE = read("docker") or EMPTY
BEFORE = json.dumps(STATE)
IMAGES, PLATFORMS, REGISTRY = STATE["images"], STATE["platforms"], STATE["registry"]


def version(*_: str) -> None:
    if (HOME / "engine-is-down").exists():
        fail("Cannot connect to the Docker daemon")
    print("linux/amd64")


def compose(*_: str) -> None:
    reference = read("compose").get("store", f"store:1@sha256:{'2' * 64}")
    print(json.dumps({"services": {"store": {"image": reference}}}))


def bake(options: str, image: str) -> None:
    settings = dict(re.findall(rf"--set={image}\.(\S+?)=(\S*)", options))
    content = (Path(image) / "Dockerfile").read_text() + settings["args.COMMIT"]
    add(settings["tags"], content, settings["platform"])


def add(tag: str, content: str, platform: str) -> None:
    digest = named(content + platform)
    IMAGES[tag] = IMAGES[digest] = digest
    only = HOME / "only-platform"
    PLATFORMS[digest] = only.read_text() if only.exists() else platform


def pull(platform: str, reference: str) -> None:
    add(reference, reference, platform)


def tag(old: str, new: str) -> None:
    if old not in IMAGES:
        fail(f"Error response from daemon: No such image: {old}")
    IMAGES[new] = IMAGES[old]


def save(file: str, name: str) -> None:
    Path(file).write_text(json.dumps({name: IMAGES[name], "on": PLATFORMS[IMAGES[name]]}))


def load(file: str) -> None:
    (name, digest), (_, platform) = json.loads(Path(file).read_text()).items()
    IMAGES[name] = IMAGES[digest] = digest
    PLATFORMS[digest] = platform
    print(f"Loaded image: {name}")


def push(name: str) -> None:
    system, _, arch = PLATFORMS[IMAGES[name]].partition("/")
    keep(name, {"config": {"digest": IMAGES[name]}, "os": system, "architecture": arch})


def keep(name: str, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=1 if (HOME / "registry-rewrites").exists() else None)
    REGISTRY[name] = REGISTRY[f"{name.rpartition(':')[0]}@{named(text)}"] = text


def named(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def index(name: str, members: str) -> None:
    single = json.loads(found(members))
    if "manifests" in single:
        return keep(name, single)
    return keep(name, {"manifests": [described(member) for member in members.split()]})


def described(member: str) -> dict[str, Any]:
    manifest = json.loads(REGISTRY[member])
    platform = {"os": manifest["os"], "architecture": manifest["architecture"]}
    return {"digest": member.partition("@")[2], "platform": platform}


def raw(reference: str) -> None:
    print(found(reference), end="")


def configuration(reference: str) -> None:
    print(found(reference))


def found(references: str) -> str:
    first, *rest = references.split()
    if (HOME / "busy-for").exists() and (HOME / "busy-for").read_text() in first:
        fail(f"ERROR: unexpected status from GET request to {first}: 429 Too Many Requests")
    for reference in (first, *rest):
        if reference not in REGISTRY:
            fail(f"ERROR: {reference}: not found")
    return str(REGISTRY[first])


def inspect(reference: str) -> None:
    if reference not in IMAGES:
        fail(f"Error response from daemon: No such image: {reference}")
    digest = IMAGES[reference]
    system, _, arch = PLATFORMS[digest].partition("/")
    print(json.dumps([{"Id": digest, "Os": system, "Architecture": arch}]))


def build_others(*_: str) -> None:
    """Its result is not used."""


def builder() -> None:
    others = HOME / "builds"
    print(f"Platforms: linux/amd64*, linux/386, {others.read_text() if others.exists() else ''}")


def login(user: str, _: str) -> None:
    (HOME / "password").write_text(sys.stdin.read())
    if user == "mallory":
        fail("Error response from daemon: denied")


ALONE = r"--env-file=/dev/null --file=docker-compose\.yml"
COMMANDS: dict[str, Callable[..., None]] = {
    r"(?:buildx |compose )?version(?: --format=.*)?": version,
    rf"compose {ALONE} config --format=json": compose,
    rf"compose {ALONE} build(?: \w+)+": build_others,
    r"buildx bake --file=docker-compose\.yml --load ((?:--set=\S+ )+)(\w+)": bake,
    r"buildx imagetools inspect --raw (\S+)": raw,
    r"buildx imagetools inspect --format=\{\{json \.Image\}\} (\S+)": configuration,
    r"buildx imagetools create --tag=(\S+) (.+)": index,
    r"buildx inspect": builder,
    r"image inspect (\S+)": inspect,
    r"pull --quiet --platform=(\S+) (\S+)": pull,
    r"tag (\S+) (\S+)": tag,
    r"save --output=(\S+) (\S+)": save,
    r"load --quiet --input=(\S+)": load,
    r"push --quiet (\S+)": push,
    r"login --username=(\S+) --password-stdin (\S+)": login,
}


def main() -> None:
    line = " ".join(record_call())
    for form, command in COMMANDS.items():
        if given := re.fullmatch(form, line):
            command(*given.groups())
            if json.dumps(STATE) != BEFORE:
                write("docker", STATE)
            return
    fail(f"unknown command: docker {line}")


main()
