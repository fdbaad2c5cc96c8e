"""A fake Cosign that accepts the same key name; `cosign.json` stores its attestations.

It behaves like 2.5, and like 3 if `cosign-3` is next to it. Real signatures are made and refused
in `tests/acceptance/signing`.
"""

import base64
import json
from pathlib import Path

from tests.unit.images.fakes.call_log import HOME, fail, read, record_call, write

PLAIN = {"--allow-http-registry", "--allow-insecure-registry"}
KNOWN = {
    "sign": {"--yes", "--key", "--tlog-upload", "--annotations", *PLAIN},
    "attest": {"--yes", "--key", "--tlog-upload", "--type", "--predicate", *PLAIN},
    "verify": {"--key", "--insecure-ignore-tlog", "--annotations", *PLAIN},
    "verify-attestation": {"--key", "--insecure-ignore-tlog", "--type", *PLAIN},
}


def main() -> None:
    command, *arguments = record_call()
    if arguments == ["--help"]:
        print("--use-signing-config=false:" if (HOME / "cosign-3").exists() else "--upload=true:")
        return
    *flags, reference = arguments
    given = dict(flag.partition("=")[::2] for flag in flags)
    if unknown := [*(given.keys() - KNOWN[command] - {"--use-signing-config"})]:
        fail(f"Error: unknown flag: {unknown[0]}")
    given["--annotations"] = json.dumps([flag for flag in flags if "--annotations=" in flag])
    kept = read("cosign")
    output = kept.setdefault(reference, {})
    {"sign": sign, "attest": attest, "verify": verify}.get(command, verify_attestation)(
        given, output
    )
    if command in {"sign", "attest"}:
        write("cosign", kept)


def key(given: dict[str, str]) -> str:
    return Path(given["--key"]).stem


def sign(given: dict[str, str], output: dict[str, str]) -> None:
    output["signature"] = f"{key(given)} {given['--annotations']}"


def attest(given: dict[str, str], output: dict[str, str]) -> None:
    predicate = json.loads(Path(given["--predicate"]).read_text())
    payload = base64.b64encode(json.dumps({"predicate": predicate}).encode()).decode()
    envelope = json.dumps({"payload": payload})
    output[given["--type"]] = output.get(given["--type"], "") + f"{key(given)} {envelope}\n"


def verify(given: dict[str, str], output: dict[str, str]) -> None:
    signer, _, annotations = output.get("signature", " []").partition(" ")
    wanted = {*json.loads(given["--annotations"])}
    if signer != key(given) or not wanted <= {*json.loads(annotations)}:
        fail("Error: no matching signatures\nerror during command execution: no matching …")


def verify_attestation(given: dict[str, str], output: dict[str, str]) -> None:
    lines = output.get(given["--type"], "").splitlines()
    mine = [line.partition(" ")[2] for line in lines if line.startswith(f"{key(given)} ")]
    if not mine:
        fail("Error: no matching attestations: \nerror during command execution: no matching …")
    print("\n".join(mine))


main()
