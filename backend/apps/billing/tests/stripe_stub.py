"""A fake Stripe server for the calls of this app, see https://docs.stripe.com/api."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk_test_0123456789"
SECRET = "whsec_0123456789"
PRICE = "price_0123456789"

Fields = dict[str, str]


class Stripe(ThreadingHTTPServer):
    """The fake server: its customers and subscriptions, and the requests it received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, Fields]] = []
        self.customers: dict[str, dict[str, Any]] = {}  # by idempotency key
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.is_down = False

    @property
    def settings(self) -> dict[str, str]:
        base = f"http://127.0.0.1:{self.server_port}"
        return {"secret_key": KEY, "webhook_secret": SECRET, "price_id": PRICE, "api_base": base}

    def subscribe(self, status: str, *, identifier: str = "sub_1", **more: object) -> None:
        """Set the state of a subscription."""
        item = {"object": "subscription_item", "current_period_end": 1_800_000_000}
        self.subscriptions[identifier] = {
            "id": identifier,
            "object": "subscription",
            "status": status,
            "cancel_at_period_end": False,
            "items": {"object": "list", "data": [item]},
            **more,
        }

    def answer(self, path: str, fields: Fields, key: str) -> dict[str, Any] | None:
        """Return the object that a request creates or reads."""
        folder, _, name = path.rpartition("/")
        if path == "/v1/customers":
            new = {"id": f"cus_{len(self.customers) + 1}", "object": "customer", **fields}
            return self.customers.setdefault(key, new)
        if path == "/v1/checkout/sessions":
            return {"id": "cs_1", "object": "checkout.session", "url": "https://checkout.test/cs_1"}
        if path == "/v1/billing_portal/sessions":
            return {
                "id": "bps_1",
                "object": "billing_portal.session",
                "url": "https://portal.test/",
            }
        return self.subscriptions.get(name) if folder == "/v1/subscriptions" else None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.respond({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(dict(parse_qsl(body.decode())))

    def respond(self, fields: Fields) -> None:
        stripe, path = cast("Stripe", self.server), urlsplit(self.path).path
        stripe.requests.append((self.command, path, fields))
        if stripe.is_down:
            self.send(500, {"error": {"type": "api_error", "message": "Down"}})
        elif self.headers["Authorization"] != f"Bearer {KEY}":
            self.send(401, {"error": {"type": "invalid_request_error", "message": "Invalid key"}})
        elif found := stripe.answer(path, fields, self.headers.get("Idempotency-Key", "")):
            self.send(200, found)
        else:
            self.send(404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}})

    def send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Stripe-Should-Retry", "false")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log."""


@contextmanager
def serving() -> Iterator[Stripe]:
    """Run the fake server until the end of the block."""
    with Stripe() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


def event(
    kind: str, customer: str, *, identifier: str = "evt_1", subscription: str = "sub_1"
) -> str:
    """Return the payload of an event."""
    field = "subscription" if kind.startswith("checkout") else "id"
    content = {"object": kind.rpartition(".")[0], "customer": customer, field: subscription}
    whole = {"id": identifier, "object": "event", "type": kind, "data": {"object": content}}
    return json.dumps(whole)


def signed(payload: str, *, secret: str = SECRET, age: int = 0) -> str:
    """Sign a payload, see https://docs.stripe.com/webhooks/signature#verify-manually."""
    moment = int(time.time()) - age
    signature = hmac.new(secret.encode(), f"{moment}.{payload}".encode(), hashlib.sha256)
    return f"t={moment},v1={signature.hexdigest()}"
