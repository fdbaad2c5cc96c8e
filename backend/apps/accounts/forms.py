from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from apps.accounts.throttling import ThrottledError


class AdminLoginForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        """Check the credentials; report too many attempts as a form error."""
        try:
            return super().clean()
        except ThrottledError as error:
            raise ValidationError("Too many attempts. Try again later.") from error
