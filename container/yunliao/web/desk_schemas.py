"""What the operators' API takes and gives."""

from typing import Annotated

import msgspec
from msgspec import Meta

from yunliao.ports_records import PassCount
from yunliao.services.audit_trail import AuditView
from yunliao.services.cases import Decision
from yunliao.services.conversations import ConversationView, MessageView
from yunliao.services.credit_desk import Movable
from yunliao.services.operators import AccountView, Role
from yunliao.services.word_lists import WordListView
from yunliao.web.schemas import In, RecordId

Name = Annotated[str, Meta(min_length=1, max_length=32)]
Password = Annotated[str, Meta(min_length=1, max_length=200)]
Reason = Annotated[str, Meta(min_length=1, max_length=500, description="written to the audit log")]
UserId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Listed = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20_000)]


class LoginIn(In):
    """Name and password."""

    name: Name
    password: Password


class PasswordIn(In):
    """A new password for oneself; the old one again, since a session may have been left open."""

    password: Password
    new: Password


class OperatorIn(In):
    """A new account; without a password one is made."""

    name: Name
    role: Role
    password: Password | None = None


class OperatorChangeIn(In):
    """What is to be changed of an account; `new_password` makes one."""

    role: Role | None = None
    disabled: bool | None = None
    new_password: bool = False


class FindIn(In):
    """A user by openid (with the appid where the service has several), or by the number the app shows them."""

    openid: Annotated[str, Meta(min_length=6, max_length=64)] | None = None
    appid: Annotated[str, Meta(min_length=3, max_length=64)] | None = None
    number: Annotated[str, Meta(min_length=8, max_length=64)] | None = None


class SuspendIn(In):
    """Without `days` until lifted."""

    reason: Reason
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class ReasonIn(In):
    """Why."""

    reason: Reason


class ReadIn(In):
    """What to read: the list of conversations, the messages of one, or one message."""

    reason: Reason
    conversation_id: RecordId | None = None
    message_id: RecordId | None = None
    before: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 30


class CreditsIn(In):
    """Credits by hand, in micro-credits. `reference` makes it happen once; of a refund it is the turn."""

    kind: Movable
    reason: Annotated[str, Meta(min_length=1, max_length=80, description="the user sees it beside the entry")]
    amount: Annotated[int, Meta(ge=0)] = 0
    reference: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    days: Annotated[int, Meta(ge=0, le=3650)] = 0


class ComplaintIn(In):
    """A complaint that came by post, by telephone, or from an authority."""

    note: Annotated[str, Meta(min_length=1, max_length=2000)]
    user_id: UserId | None = None


class DecideIn(In):
    """How a case ends."""

    decision: Decision
    note: Annotated[str, Meta(min_length=1, max_length=500)]


class WordsIn(In):
    """A new version of the operators' word list; longer ones by the command line."""

    words: Listed
    note: Annotated[str, Meta(max_length=200)] = ""


class WordsTestIn(In):
    """A text to try a list on: the words given, else a version, else the one in force."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    version: Annotated[int, Meta(ge=0)] | None = None
    words: Listed | None = None


class HeadIn(In):
    """The head of the audit log as it was written down elsewhere; without one the log is only compared with itself."""

    seq: Annotated[int, Meta(ge=0)] = 0
    mac: Annotated[str, Meta(max_length=64)] = ""


class BindIn(In):
    """The code an operator was shown."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]


class UserComplaintIn(In):
    """What somebody has to complain of."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class OperatorOut(msgspec.Struct, kw_only=True):
    """Who acts."""

    name: str
    role: Role


class OperatorsOut(msgspec.Struct, kw_only=True):
    """All accounts."""

    operators: list[AccountView]


class NewPasswordOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An account, and its new password where one was made: it is shown this once."""

    operator: AccountView
    password: str | None = None


class ReadOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was read; each answer of the AI carries its label as well."""

    label: str
    conversations: list[ConversationView] | None = None
    messages: list[MessageView] | None = None
    next: str | None = None


class WordListsOut(msgspec.Struct, kw_only=True):
    """Versions, newest first; `in_use_here` is the one this instance searches by."""

    versions: list[WordListView]
    in_use_here: int


class PassesOut(msgspec.Struct, kw_only=True):
    """Texts that passed, by day (Unix days, UTC) and place."""

    passes: list[PassCount]


class HitsOut(msgspec.Struct, kw_only=True):
    """The entries that stand in the text."""

    hits: list[str]


class TextOut(msgspec.Struct, kw_only=True):
    """Words of a user."""

    text: str


class AuditOut(msgspec.Struct, kw_only=True):
    """Entries in order."""

    entries: list[AuditView]


class CaseIdOut(msgspec.Struct, kw_only=True):
    """By which number to ask again."""

    case: str


class RelayTestIn(In):
    """By which model; without one by the upstream's first."""

    model: Annotated[str, Meta(max_length=100)] | None = None


class AuditFindIn(In):
    """Which entries: before a number, by whom, what (its beginning), about what."""

    before: Annotated[int, Meta(ge=1)] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    actor: Annotated[str, Meta(max_length=64)] = ""
    action: Annotated[str, Meta(max_length=64)] = ""
    subject: Annotated[str, Meta(max_length=120)] = ""
