from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.base_user import BaseUserManager

if TYPE_CHECKING:
    from apps.accounts.models import User


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Convert the whole address to lower case, so that each account has one spelling."""
        return super().normalize_email(email).lower()

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a user by email address, in any case."""
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        """Create a user who can log in, without administrator rights."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        """Create a user with all permissions."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
