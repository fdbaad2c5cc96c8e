import re

from django.core import mail
from django.core.mail import EmailMessage

from apps.accounts.mails import sender


class Outbox:
    """The mails that were sent in this test, by their thread."""

    def wait(self) -> None:
        """Wait until nothing is left to be sent: there is one thread, which sends in order."""
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
        """The token of the last mail's link."""
        (found,) = re.findall(r"#token=(\S+)", str(self.mails[-1].body))
        return str(found)
