"""Operators: accounts with a password and a role, sessions that expire, and the way into the mini-program.

Nobody is an operator because the platform says who they are: a session begins with a password, or with a one-time code
that an operator who had logged in was shown. Tokens and codes are stored as hashes, accounts sealed; every change is
written to the audit log before it is made.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Literal

import msgspec

from yunliao.errors import InvalidRequest, NotFound, OperatorLogin, OperatorRole
from yunliao.ports import Clock
from yunliao.ports_operators import Passwords
from yunliao.ports_records import Card
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.desk import Desk, Filed
from yunliao.services.login_guard import LoginGuard

Role = Literal["viewer", "operator", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "owner")
"""Each may do all that those before it may."""
SESSION_MS = 12 * 3_600_000
BOUND_MS = 30 * 86_400_000
CODE_MS = 10 * 60_000
SHORTEST = 12
LONGEST = 200
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 12
"""Twelve of 31 letters: 59 bits, for ten minutes, with five tries."""
ACCOUNT, TOKEN, CODE = "operator", "operator-token", "operator-code"
TERMINAL = "terminal"
"""Who acts at the command line: whoever has the settings of the service."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of an account."""

    role: Role
    password: str
    created_at: int


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of a token: whose, and of which platform user alone it is taken (empty: of none)."""

    name: str
    user_id: str = ""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as operators see it."""

    name: str
    role: Role
    created_at: int
    disabled: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in: the token is shown this once; times in Unix milliseconds."""

    token: str
    name: str
    role: Role
    expires_at: int


class BindingCode(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code for the mini-program."""

    code: str
    expires_at: int


class Operator(msgspec.Struct, frozen=True):
    """Who acts."""

    name: str
    role: Role

    def require(self, role: Role) -> None:
        """Raises `OperatorRole` where a higher role is needed."""
        if ROLES.index(self.role) < ROLES.index(role):
            raise OperatorRole


class Operators:
    """Accounts and sessions."""

    def __init__(self, *, desk: Desk, passwords: Passwords, guard: LoginGuard, audit: AuditTrail, clock: Clock) -> None:
        self._desk = desk
        self._passwords = passwords
        self._guard = guard
        self._audit = audit
        self._clock = clock
        self._nobodys_hash = ""

    # --- accounts ---------------------------------------------------------------------------------------------------

    def add(self, actor: str, name: str, role: Role, password: str | None = None) -> str:
        """A new account; its password, made if none is given. Raises `InvalidRequest` for a name that is taken."""
        if not NAME.fullmatch(name) or name == TERMINAL:
            raise InvalidRequest("name must have 1 to 32 letters, digits, . _ or -, and not be taken")
        chosen = _password(password)
        now = self._clock.now_ms()
        if self._desk.get(ACCOUNT, name, Account) is not None:
            raise InvalidRequest("name is taken")
        hashed = self._passwords.hash(chosen)
        self._audit.note(actor, "operator.add", subject=name, detail=role)
        account = Account(role=role, password=hashed, created_at=now)
        if not self._desk.put(Card(kind=ACCOUNT, id=name, at=now, state="active"), account):
            raise InvalidRequest("name is taken")
        return chosen

    def all(self) -> list[AccountView]:
        """Every account, newest first."""
        found, _ = self._desk.page(ACCOUNT, Account, limit=500)
        return [_view(one) for one in found]

    def get(self, name: str) -> AccountView:
        """One account. Raises `NotFound`."""
        return _view(self._known(name))

    def set_password(self, actor: str, name: str, password: str | None = None) -> str:
        """A new password; every session of the account ends. Returns it."""
        chosen = _password(password)
        hashed = self._passwords.hash(chosen)
        self._known(name)
        self._audit.note(actor, "operator.password", subject=name)
        self._change(name, lambda account: msgspec.structs.replace(account, password=hashed))
        return chosen

    def set_role(self, actor: str, name: str, role: Role) -> AccountView:
        """Another role, from the next request on."""
        self._known(name)
        self._audit.note(actor, "operator.role", subject=name, detail=role)
        return _view(self._change(name, lambda account: msgspec.structs.replace(account, role=role)))

    def disable(self, actor: str, name: str, *, disabled: bool = True) -> AccountView:
        """Switch an account off, which ends its sessions, or on again."""
        self._known(name)
        self._audit.note(actor, "operator.disable" if disabled else "operator.enable", subject=name)
        state = "disabled" if disabled else "active"
        return _view(self._change(name, lambda account: account, state=state))

    # --- sessions ---------------------------------------------------------------------------------------------------

    def login(self, name: str, password: str) -> Session:
        """A session by password. Raises `OperatorLogin`, the same for a name that there is not, and `RateLimited`."""
        self._guard.attempt(name)
        found = self._desk.get(ACCOUNT, name, Account) if NAME.fullmatch(name) else None
        stored = found.content.password if found else self._nobody()
        fits = len(password) <= LONGEST and self._passwords.fits(password, stored)
        if found is None or not fits or found.card.state != "active":
            self._audit.note(name if found else "?", "login.refused")
            raise OperatorLogin
        self._guard.succeeded(name)
        self._audit.note(name, "login")
        return self._session(name, found.content.role, "", SESSION_MS)

    def session_for(self, name: str) -> Session:
        """A session by the command line, for somebody who is kept from logging in."""
        role = self._known(name).content.role
        self._audit.note(TERMINAL, "login.terminal", subject=name)
        return self._session(name, role, "", SESSION_MS)

    def check(self, token: str, user_id: str = "") -> Operator:
        """Who has this token. `user_id` is the caller inside the mini-program, empty elsewhere: a token is good on the
        one way it was made for. Raises `OperatorLogin`."""
        found = self._desk.get(TOKEN, _hash(token), Grant)
        if found is None or found.card.expires_at <= self._clock.now_ms() or found.content.user_id != user_id:
            raise OperatorLogin
        account = self._desk.get(ACCOUNT, found.content.name, Account)
        if account is None or account.card.state != "active":
            raise OperatorLogin
        return Operator(found.content.name, account.content.role)

    def logout(self, token: str) -> None:
        """End one session; no error if it is over."""
        self._desk.cards.remove(TOKEN, _hash(token))

    def logout_all(self, actor: str, name: str) -> int:
        """End all sessions of an account; how many."""
        self._audit.note(actor, "operator.logout", subject=name)
        return self._desk.cards.remove_of(TOKEN, _owner(name))

    # --- the mini-program ---------------------------------------------------------------------------------------------

    def binding_code(self, operator: Operator) -> BindingCode:
        """A code that binds one WeChat user to this account, once, within ten minutes."""
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        now = self._clock.now_ms()
        self._audit.note(operator.name, "operator.code", subject=operator.name)
        card = Card(kind=CODE, id=_hash(code), at=now, owner=_owner(operator.name), expires_at=now + CODE_MS)
        self._desk.put(card, Grant(name=operator.name))
        return BindingCode(code=code, expires_at=now + CODE_MS)

    def bind(self, user_id: str, code: str) -> Session:
        """The session of a WeChat user who types the code; its token is good for this user alone. Raises
        `OperatorLogin`, `RateLimited`."""
        self._guard.attempt(user_id)
        digest = _hash(code.strip().upper())
        found = self._desk.get(CODE, digest, Grant)
        taken = found is not None and self._desk.cards.remove(CODE, digest)
        if found is None or not taken or found.card.expires_at <= self._clock.now_ms():
            raise OperatorLogin
        account = self._desk.get(ACCOUNT, found.content.name, Account)
        if account is None or account.card.state != "active":
            raise OperatorLogin
        self._guard.succeeded(user_id)
        self._audit.note(found.content.name, "operator.bind", subject=user_id)
        return self._session(found.content.name, account.content.role, user_id, BOUND_MS)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _session(self, name: str, role: Role, user_id: str, lifetime: int) -> Session:
        token, now = secrets.token_urlsafe(32), self._clock.now_ms()
        card = Card(kind=TOKEN, id=_hash(token), at=now, owner=_owner(name), expires_at=now + lifetime)
        self._desk.put(card, Grant(name=name, user_id=user_id))
        return Session(token=token, name=name, role=role, expires_at=now + lifetime)

    def _known(self, name: str) -> Filed[Account]:
        found = self._desk.get(ACCOUNT, name, Account)
        if found is None:
            raise NotFound("name")
        return found

    def _change(self, name: str, change: Callable[[Account], Account], state: str | None = None) -> Filed[Account]:
        def changed(found: Filed[Account]) -> Filed[Account]:
            card = msgspec.structs.replace(found.card, state=state or found.card.state)
            return Filed(card, change(found.content))

        before = self._known(name).content
        after = self._desk.change(ACCOUNT, name, Account, changed)
        if after.content.password != before.password or after.card.state == "disabled":
            self._desk.cards.remove_of(TOKEN, _owner(name))
            self._desk.cards.remove_of(CODE, _owner(name))
        return after

    def _nobody(self) -> str:
        """A hash that no password fits, so that a name that there is not takes as long as one that there is."""
        self._nobodys_hash = self._nobodys_hash or self._passwords.hash(secrets.token_urlsafe(32))
        return self._nobodys_hash


def _view(found: Filed[Account]) -> AccountView:
    return AccountView(
        name=found.card.id,
        role=found.content.role,
        created_at=found.content.created_at,
        disabled=found.card.state == "disabled",
    )


def _password(given: str | None) -> str:
    if given is None:
        return secrets.token_urlsafe(15)
    if not SHORTEST <= len(given) <= LONGEST or len(set(given)) < 6:
        raise InvalidRequest(f"password must have {SHORTEST} to {LONGEST} characters, six different ones at least")
    return given


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _owner(name: str) -> str:
    # No user's id looks like this: erasing a user takes nothing of an operator's along.
    return f"operator:{name}"
