import re

from django.core import mail
from django.core.mail import EmailMessage

from apps.accounts.mails import sender


class Outbox:
    """The mails that the sender thread has sent in this test."""

    def wait(self) -> None:
        """Wait until the queue is empty: one thread sends all mails in order."""
        sender.submit(lambda: None).result()

    @property
    def mails(self) -> list[EmailMessage]:
        self.wait()
        return list(mail.outbox)

    @property
    def subjects(self) -> list[str]:
        return [str(message.subject) for message in self.mails]

    @property
    def token(self) -> str:
        """The token in the link of the last mail."""
        (found,) = re.findall(r"#token=(\S+)", str(self.mails[-1].body))
        return str(found)
