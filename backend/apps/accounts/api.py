from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from ninja import Router, Status
from ninja.decorators import decorate_view
from ninja.errors import AuthenticationError
from ninja.security import SessionAuth

from apps.accounts.authentication import CsrfProtected, UserRequest
from apps.accounts.models import User
from apps.accounts.schemas import CredentialsIn, UserOut
from apps.accounts.services import InvalidCredentialsError, session_close, session_open
from apps.accounts.throttling import ThrottledError
from apps.errors import INVALID_INPUT, TOO_LARGE, TOO_MANY, ErrorOut, InvalidInputOut

router = Router()


@router.post(
    "/login/",
    auth=CsrfProtected(),
    operation_id="login",
    response={
        200: UserOut,
        400: ErrorOut,
        401: ErrorOut,
        403: ErrorOut,
        413: ErrorOut,
        422: InvalidInputOut,
        429: ErrorOut,
    },
    openapi_extra={"responses": TOO_LARGE | INVALID_INPUT | TOO_MANY},
)
def login(
    request: HttpRequest, response: HttpResponse, credentials: CredentialsIn
) -> User | Status[ErrorOut]:
    """Start a session. The CSRF token changes with it."""
    try:
        return session_open(request=request, **credentials.dict())
    except InvalidCredentialsError:
        raise AuthenticationError(message="Wrong e-mail address or password") from None
    except ThrottledError as error:
        response["Retry-After"] = str(error.retry_after)
        return Status(429, ErrorOut(detail="Too many attempts"))


@router.post(
    "/logout/",
    auth=CsrfProtected(),
    operation_id="logout",
    response={204: None, 403: ErrorOut},
)
def logout(request: HttpRequest) -> Status[None]:
    """End the session, if there is one."""
    session_close(request=request)
    return Status(204, None)


@router.get(
    "/me/",
    auth=SessionAuth(),
    operation_id="getCurrentUser",
    response={200: UserOut, 401: ErrorOut},
)
@decorate_view(never_cache, ensure_csrf_cookie)
def me(request: UserRequest) -> User:
    """Tell who is logged in. Any answer sets the CSRF cookie that a later post needs."""
    return request.user
