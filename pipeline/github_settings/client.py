"""GitHub's REST API, as far as a repository's settings are concerned."""

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, build_opener

from pipeline.deadline import call_with_deadline
from pipeline.errors import InputError
from pipeline.git import origin_repository

API_URL = "https://api.github.com"
VERSION = "2022-11-28"
"""https://docs.github.com/rest/about-the-rest-api/api-versions"""
TIMEOUT = 30
PAGE_SIZE = 100
"""The most that GitHub puts on one page."""
PERMISSION_ERRORS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True)
class GitHubClient:
    """The API, asked about one repository.

    Attributes:
        repository: Its owner and name.
        token: Of somebody who may administer it.
        url: Where the API is.
    """

    repository: str
    token: str = field(repr=False)
    url: str = API_URL

    def get(self, path: str) -> Any:  # noqa: ANN401 - what GitHub says
        """Return what GitHub says; None, if it knows no such thing.

        Raises:
            InputError: It is out of reach, or refuses.
        """
        return self.send("GET", path)

    def paginate(self, path: str, key: str = "") -> Iterator[Any]:
        """Yield all that is listed, from page to page.

        Args:
            path: Of the list.
            key: Under which it stands; nothing, if the answer is the list.
        """
        for page in itertools.count(1):
            answer = self.get(f"{path}?per_page={PAGE_SIZE}&page={page}") or {}
            found = answer.get(key, []) if key else list(answer)
            yield from found
            if len(found) < PAGE_SIZE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Send a request, and return the answer.

        Args:
            method: As HTTP has it.
            path: Within the repository; from the root, if it begins with a slash.
            body: What to send as JSON.

        Raises:
            InputError: GitHub is out of reach, or refuses.
        """
        try:
            return call_with_deadline(
                TIMEOUT, lambda: self._answer(self._request(method, path, body))
            )
        except HTTPError as error:
            if method == "GET" and error.code == HTTPStatus.NOT_FOUND:
                return None
            raise api_error(f"{method} {path}", error) from None
        except (OSError, HTTPException, ValueError) as error:
            raise InputError(
                f"{self.url} does not answer: {error}", hint="is the network there? try again"
            ) from None

    @staticmethod
    def _answer(request: Request) -> Any:  # noqa: ANN401
        with build_opener().open(request, timeout=2 * TIMEOUT) as answer:
            return json.loads(answer.read() or b"null")

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Request:
        place = path if path.startswith("/") else f"/repos/{self.repository}/{path}".rstrip("/")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": VERSION,
        }
        data = None if body is None else json.dumps(body).encode()
        return Request(self.url + place, data, headers, method=method)  # noqa: S310 - GitHub's, or an enterprise's own


def api_error(asked: str, error: HTTPError) -> InputError:
    """Return why GitHub does not do what it was asked.

    Args:
        asked: For what.
        error: Its answer, whose `message` is for people.
    """
    said = str(error.reason)
    with suppress(ValueError, KeyError, TypeError):
        said = json.loads(error.read())["message"]
    hint = "the token needs to administer this repository, and to read its secrets' names"
    return InputError(
        f"GitHub refuses `{asked}`: {error.code} {said}",
        hint=hint if error.code in PERMISSION_ERRORS else "https://docs.github.com/rest",
    )


def connect() -> GitHubClient:
    """Return the API for this repository, with the token of the environment.

    Raises:
        InputError: There is no token, or no remote.
    """
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    if not token:
        raise InputError(
            "there is no token: neither GITHUB_TOKEN nor GH_TOKEN is set",
            hint='GITHUB_TOKEN="$(gh auth token)" invoke github-settings --dry-run',
        )
    repository = origin_repository()
    if repository is None:
        raise InputError(
            "nobody knows which repository: git has no remote `origin` with an owner",
            hint="git remote add origin git@github.com:owner/name.git",
        )
    return GitHubClient(repository, token, os.environ.get("GITHUB_API_URL", API_URL).rstrip("/"))


def quote_path(name: str) -> str:
    """Return a name as a part of a path."""
    return quote(name, safe="")
