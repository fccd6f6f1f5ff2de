"""What every kind of notifier is: something that takes a message to people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from sentinel.core.fields import Model

if TYPE_CHECKING:
    from sentinel.notifiers.message import Message

#: Takes a message to its receiver and returns the receipt, as `NotifierKind.send` does.
Send = Callable[["Message"], Awaitable[Mapping[str, str]]]
#: A receipt's entry under this name is how it was delivered, in words for the person who looks at the delivery.
WHY = "why"


class NotifierKind(Model, ABC):
    """A way to tell people; its fields are its keys in YAML, its docstring is its page.

    When to send, in which order, how often to try and whom to tell instead is not a kind's business.
    """

    #: So many messages of different groups may be on their way at once.
    AT_ONCE: ClassVar[int] = 8
    #: The markup in which `message.body` is written for this kind; none: it takes `message.text`.
    MARKUP: ClassVar[Literal["", "html", "mrkdwn"]] = ""
    #: Whether a message may tell of several groups. Not where each group has something of its own that its end closes.
    DIGESTS: ClassVar[bool] = True

    @property
    def edits(self) -> bool:
        """Whether a message that was sent can be changed: then it is kept at the newest value, which calls nobody."""
        return False

    @property
    def renews(self) -> timedelta | None:
        """How often it is told again what goes on, quietly, lest it take that for over; None: never."""
        return None

    @abstractmethod
    async def send(self, message: Message) -> Mapping[str, str]:
        """Hand the message over and return a receipt, which comes back as `message.earlier` of the group's next one.

        Raises:
            TryAgain: the receiver may take it later.
            GiveUp: it never will, a person must fix something.
        """

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Send]:
        """Yield what sends; a kind that keeps connections open between messages holds them here."""
        yield self.send
