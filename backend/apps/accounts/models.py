from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.accounts.managers import UserManager
from apps.encryption import EncryptedTextField


class User(AbstractBaseUser, PermissionsMixin):
    """A user, identified by email address.

    The address is stored in lower case, so that it is unique in any spelling.
    """

    email = models.EmailField("e-mail address", unique=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    phone = EncryptedTextField(null=True, blank=True, help_text="Encrypted: it cannot be searched.")
    is_staff = models.BooleanField(
        "staff status", default=False, help_text="May log in to the admin site."
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting the account."
    )
    # Registration sets it to False. The default covers users that an administrator creates, and the
    # database default covers an older release that does not know this column.
    email_verified = models.BooleanField("e-mail address verified", default=True, db_default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
        )

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)


class UserSession(models.Model):
    """Usage data of a Django session, deleted with the session."""

    USER_AGENT_LENGTH = 300

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    session = models.OneToOneField(
        Session,
        on_delete=models.CASCADE,
        related_name="+",
        # An older release that does not know this table deletes sessions, too.
        db_constraint=False,
    )
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["user", "-id"], name="user_session_page"),)

    def __str__(self) -> str:
        return self.user_agent
