from typing import Annotated

from django.http import HttpRequest
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from ninja import Path, Query, Router, Status
from ninja.decorators import decorate_view
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import SessionAuth
from pydantic import Field

from apps.accounts.authentication import CsrfProtected, UserRequest
from apps.accounts.models import User, UserSession
from apps.accounts.schemas import (
    CredentialsIn,
    PasswordChangeIn,
    SessionOut,
    SessionPageOut,
    UserIn,
    UserOut,
)
from apps.accounts.services import (
    InvalidCredentialsError,
    password_change,
    session_close,
    session_open,
    user_update,
)
from apps.accounts.sessions import session_end, session_page, sessions_end
from apps.errors import problems
from apps.pages import LARGEST_ID, PageIn

router = Router(auth=SessionAuth())

SessionId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


@router.post(
    "/login/",
    auth=CsrfProtected(),
    operation_id="login",
    response={200: UserOut} | problems(401, 429),
)
def login(request: HttpRequest, credentials: CredentialsIn) -> User:
    """Start a session. The CSRF token changes with it.

    An address that is not verified is refused in the same words as a wrong password: whoever has
    just tried to register it would learn from others whether somebody had it before.
    """
    try:
        return session_open(request=request, **credentials.dict())
    except InvalidCredentialsError:
        raise AuthenticationError(
            message="Wrong e-mail address or password, or the address is not verified yet"
        ) from None


@router.post("/logout/", auth=CsrfProtected(), operation_id="logout", response={204: None})
def logout(request: HttpRequest) -> Status[None]:
    """End the session, if there is one."""
    session_close(request=request)
    return Status(204, None)


@router.get("/me/", operation_id="getCurrentUser", response=UserOut)
@decorate_view(never_cache, ensure_csrf_cookie)
def me(request: UserRequest) -> User:
    """Tell who is logged in. Any answer sets the CSRF cookie that a later post needs."""
    return request.user


@router.patch("/me/", operation_id="updateCurrentUser", response=UserOut)
def update_me(request: UserRequest, changes: UserIn) -> User:
    """Change what one says about oneself. What is not given stays as it is."""
    return user_update(user=request.user, **changes.dict(exclude_unset=True))


@router.post("/me/password/", operation_id="changePassword", response={204: None} | problems(429))
def change_password(request: UserRequest, passwords: PasswordChangeIn) -> Status[None]:
    """Choose another password. Every other session ends."""
    try:
        password_change(
            request=request,
            user=request.user,
            current=passwords.current_password,
            new=passwords.new_password,
        )
    except InvalidCredentialsError:
        fault = {"type": "value_error", "msg": "This is not your password"}
        raise ValidationError([fault | {"loc": ["body", "current_password"]}]) from None
    return Status(204, None)


@router.get("/sessions/", operation_id="listSessions", response=SessionPageOut)
@decorate_view(never_cache)
def list_sessions(request: UserRequest, page: Query[PageIn]) -> SessionPageOut:
    """List where one is logged in, newest first."""
    sessions, following = session_page(user=request.user, limit=page.limit, before=page.before)
    own = request.session.session_key
    items = [
        SessionOut(
            id=session.pk,
            user_agent=session.user_agent,
            created=session.created,
            last_seen=session.last_seen,
            current=session.session_id == own,
        )
        for session in sessions
    ]
    return SessionPageOut(items=items, next=following)


@router.delete("/sessions/", operation_id="endOtherSessions", response={204: None})
def end_other_sessions(request: UserRequest) -> Status[None]:
    """Log oneself out everywhere else."""
    sessions_end(user=request.user, keep=request.session.session_key)
    return Status(204, None)


@router.delete(
    "/sessions/{session_id}/", operation_id="endSession", response={204: None} | problems(404)
)
def end_session(request: UserRequest, session_id: Path[SessionId]) -> Status[None]:
    """Log oneself out somewhere."""
    try:
        session_end(user=request.user, session_id=session_id)
    except UserSession.DoesNotExist:
        raise HttpError(404, "Not Found") from None
    return Status(204, None)
