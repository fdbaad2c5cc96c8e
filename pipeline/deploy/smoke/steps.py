"""A request of the smoke test and the answer that it expects; deploy/smoke.py yields them too."""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.deploy.smoke.page import normalize_mime_type


@dataclass(frozen=True)
class Response:
    status: int
    type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object of the body; empty without one."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


Problem = str | None
"""A fault of an answer, as a predicate for a sentence; None without a fault."""

Validator = Callable[[Response], Problem]


@dataclass(frozen=True)
class SmokeStep:
    """One request and the expected answer; an empty `type` allows any MIME type."""

    name: str
    path: str
    method: str = "GET"
    status: int = 200
    type: str = "application/json"
    body: Mapping[str, str] | None = field(default=None, repr=False)
    validator: Validator = lambda _: None
    hint: str = "look for this request in the logs of the edge and the API"
    cleans_up: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def validate(self, answer: Response) -> Problem:
        """Return the fault of an answer; None without a fault."""
        if answer.status != self.status:
            return f"answered {answer.status}, not {self.status}"
        if self.type and normalize_mime_type(answer.type) != self.type:
            return f"is {answer.type or 'of no type'}, not {self.type}"
        return self.validator(answer)


@dataclass(frozen=True)
class User:
    email: str
    password: str = field(repr=False)


StepGenerator = Generator[SmokeStep, Response, None]
