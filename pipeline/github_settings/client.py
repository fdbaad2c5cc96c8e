"""The endpoints of GitHub's REST API for the settings of a repository."""

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

_API_URL = "https://api.github.com"
_VERSION = "2022-11-28"
"""https://docs.github.com/rest/about-the-rest-api/api-versions"""
TIMEOUT = 30
_PAGE_SIZE = 100
"""The maximum of GitHub."""
_PERMISSION_ERRORS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True)
class GitHubClient:
    """A client for one repository.

    Attributes:
        repository: Its owner and name.
        token: A token with administration rights.
        url: The address of the API.
    """

    repository: str
    token: str = field(repr=False)
    url: str = _API_URL

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the response of a GET; None for a 404.

        Raises:
            InputError: GitHub is out of reach, or refuses.
        """
        return self.send("GET", path)

    def paginate(self, path: str, key: str = "") -> Iterator[Any]:
        """Yield all items of a list, page by page.

        Args:
            path: The path of the list.
            key: The key of the list in the response; empty, if the response is the list.
        """
        for page in itertools.count(1):
            answer = self.get(f"{path}?per_page={_PAGE_SIZE}&page={page}") or {}
            found = answer.get(key, []) if key else list(answer)
            yield from found
            if len(found) < _PAGE_SIZE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Send a request, and return the response.

        Args:
            method: The HTTP method.
            path: Relative to the repository; absolute, if it begins with a slash.
            body: The JSON to send.

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
            raise _api_error(f"{method} {path}", error) from None
        except (OSError, HTTPException, ValueError) as error:
            raise InputError(
                f"{self.url} does not answer: {error}", hint="check the network, then run it again"
            ) from None

    @staticmethod
    def _answer(request: Request) -> Any:  # noqa: ANN401
        with build_opener().open(request, timeout=2 * TIMEOUT) as answer:
            return json.loads(answer.read() or b"null")

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Request:
        endpoint = path if path.startswith("/") else f"/repos/{self.repository}/{path}".rstrip("/")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": _VERSION,
        }
        data = None if body is None else json.dumps(body).encode()
        return Request(self.url + endpoint, data, headers, method=method)  # noqa: S310 - an https address from GITHUB_API_URL


def _api_error(request: str, error: HTTPError) -> InputError:
    """Return the error for a refused request.

    Args:
        request: Its method and path.
        error: The response; its `message` is for people.
    """
    message = str(error.reason)
    with suppress(ValueError, KeyError, TypeError):
        message = json.loads(error.read())["message"]
    hint = "the token needs the permissions `administration: write` and `secrets: read`"
    return InputError(
        f"GitHub refuses `{request}`: {error.code} {message}",
        hint=hint if error.code in _PERMISSION_ERRORS else "https://docs.github.com/rest",
    )


def connect() -> GitHubClient:
    """Return a client for this repository, with the token of the environment.

    Raises:
        InputError: There is no token, or no remote.
    """
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    if not token:
        raise InputError(
            "neither GITHUB_TOKEN nor GH_TOKEN is set",
            hint='GITHUB_TOKEN="$(gh auth token)" invoke github-settings --dry-run',
        )
    repository = origin_repository()
    if repository is None:
        raise InputError(
            "git has no remote `origin` with an owner",
            hint="git remote add origin git@github.com:owner/name.git",
        )
    return GitHubClient(repository, token, os.environ.get("GITHUB_API_URL", _API_URL).rstrip("/"))


def quote_path(name: str) -> str:
    """Return a name quoted for a path."""
    return quote(name, safe="")
