"""The steps of the chain, as the tests of it run them."""

from pathlib import Path

from pipeline.images import signing
from pipeline.images.build import build, resolve_targets
from pipeline.images.commands.cosign import Signer
from pipeline.images.inspection import sbom, scan
from pipeline.images.push import push
from pipeline.images.targets import platforms, select_images
from pipeline.images.verification import verify_all

HOST = "127.0.0.1:5000/kit"
KEY, OTHER = Signer(key=Path("cosign.key")), Signer(key=Path("other.key"))
EFFECTFUL_COMMANDS = (
    "bake",
    " push ",
    " create ",
    "cosign sign --yes",
    "cosign attest",
    "syft",
    "trivy",
)


def build_and_scan() -> None:
    """Build, list and scan on both platforms."""
    for platform in platforms():
        there = resolve_targets(None, platform)
        build(there)
        sbom(there)
        scan(there)


def run_chain() -> None:
    """Run the whole chain."""
    build_and_scan()
    push(select_images(None), platforms())
    signing.sign(select_images(None), KEY)
    verify_all(signing.resolve_references(select_images(None), None), KEY, None, local=False)


def effectful_calls(calls: list[str]) -> list[str]:
    """Return those calls that make or move something."""
    return [call for call in calls if any(act in call for act in EFFECTFUL_COMMANDS)]
