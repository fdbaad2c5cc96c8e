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
    """Log in and start a session. The CSRF token changes.

    An unverified address gets the same error as a wrong password. A different error would reveal,
    after a registration, whether the address already had an account.
    """
    try:
        return session_open(request=request, **credentials.dict())
    except InvalidCredentialsError:
        raise AuthenticationError(
            message="Wrong email or password, or the email address is not verified yet."
        ) from None


@router.post("/logout/", auth=CsrfProtected(), operation_id="logout", response={204: None})
def logout(request: HttpRequest) -> Status[None]:
    """Log out. Succeeds without a session, too."""
    session_close(request=request)
    return Status(204, None)


@router.get("/me/", operation_id="getCurrentUser", response=UserOut)
@decorate_view(never_cache, ensure_csrf_cookie)
def me(request: UserRequest) -> User:
    """Return the logged-in user. Every response sets the CSRF cookie that later writes need."""
    return request.user


@router.patch("/me/", operation_id="updateCurrentUser", response=UserOut)
def update_me(request: UserRequest, changes: UserIn) -> User:
    """Update your profile. Omitted fields stay unchanged."""
    return user_update(user=request.user, **changes.dict(exclude_unset=True))


@router.post("/me/password/", operation_id="changePassword", response={204: None} | problems(429))
def change_password(request: UserRequest, passwords: PasswordChangeIn) -> Status[None]:
    """Change your password. Ends all your other sessions."""
    try:
        password_change(
            request=request,
            user=request.user,
            current=passwords.current_password,
            new=passwords.new_password,
        )
    except InvalidCredentialsError:
        error = {"type": "value_error", "msg": "The current password is wrong."}
        raise ValidationError([error | {"loc": ["body", "current_password"]}]) from None
    return Status(204, None)


@router.get("/sessions/", operation_id="listSessions", response=SessionPageOut)
@decorate_view(never_cache)
def list_sessions(request: UserRequest, page: Query[PageIn]) -> SessionPageOut:
    """List your sessions, newest first."""
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
    """End all your other sessions."""
    sessions_end(user=request.user, keep=request.session.session_key)
    return Status(204, None)


@router.delete(
    "/sessions/{session_id}/", operation_id="endSession", response={204: None} | problems(404)
)
def end_session(request: UserRequest, session_id: Path[SessionId]) -> Status[None]:
    """End one of your sessions."""
    try:
        session_end(user=request.user, session_id=session_id)
    except UserSession.DoesNotExist:
        raise HttpError(404, "You have no such session.") from None
    return Status(204, None)
