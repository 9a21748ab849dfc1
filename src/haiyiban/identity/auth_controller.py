"""Signing in and out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.context import current
from haiyiban.errors import NotFound, NotSignedIn
from haiyiban.identity import (
    accounts,
    address_limit,
    refresh_tokens,
    rules,
    sessions,
    sms_codes,
    staff,
    wechat,
    wechat_tickets,
)
from haiyiban.identity.guards import SessionRequest, signed_in
from haiyiban.identity.sessions import Grant
from haiyiban.identity.tokens import LIFE
from haiyiban.identity.wire import (
    SessionList,
    SessionRead,
    SessionRefresh,
    SmsCodeCreate,
    SmsCodeRead,
    SmsSignIn,
    StaffSignIn,
    Tokens,
    Transport,
    WechatSignIn,
    WechatTicketCreate,
    WechatTicketRead,
    WechatTicketSignIn,
)
from haiyiban.settings import Settings
from haiyiban.wire import API, problems

COOKIE = "haiyiban_refresh"
_COOKIE_PATH = f"{API}/auth"


class AuthController(Controller):
    """Codes, sessions, refresh."""

    path = "/auth"
    tags = ["accounts"]

    @post(
        "/sms-codes",
        status_code=202,
        summary="Send a sign-in code",
        responses=problems(accounts.InvalidPhone, sms_codes.TooManyCodes, address_limit.TooManyFromHere),
    )
    async def send_code(
        self, session: NamedDependency[AsyncSession], data: JSONBody[SmsCodeCreate]
    ) -> SmsCodeRead:
        """Six digits, good for five minutes and five tries. Known and unknown phones are answered alike."""
        phone = accounts.parse_phone(data.phone)
        await address_limit.current().count(current().address or "", now=clock.now().timestamp())
        await sms_codes.send(session, phone)
        return SmsCodeRead(
            expires_in_seconds=int(rules.CODE_LIFE.total_seconds()),
            retry_after_seconds=int(rules.CODE_PAUSE.total_seconds()),
        )

    @post(
        "/wechat-tickets",
        status_code=201,
        summary="A ticket for the page in the mini program",
        responses=problems(
            registers.WechatNotOffered, registers.WechatCodeRefused, registers.RegisterUnavailable
        ),
    )
    async def give_ticket(
        self, session: NamedDependency[AsyncSession], data: JSONBody[WechatTicketCreate]
    ) -> Response[WechatTicketRead]:
        """The login code for a ticket, good once and for a minute: POST /auth/sessions redeems it. So the
        login code never stands in an address."""
        user = wechat.index_of(await registers.wechat_user(data.code))
        ticket = await wechat_tickets.issue(session, user, now=clock.now())
        answer = WechatTicketRead(ticket=ticket, expires_in_seconds=int(wechat_tickets.LIFE.total_seconds()))
        return Response(answer, status_code=201, headers={"Cache-Control": "no-store"})

    @post(
        "/sessions",
        status_code=201,
        summary="Sign in",
        responses=problems(
            accounts.InvalidPhone,
            sms_codes.WrongCode,
            sms_codes.CodeExpired,
            registers.WechatNotOffered,
            registers.WechatCodeRefused,
            registers.RegisterUnavailable,
            wechat_tickets.TicketRefused,
            staff.WrongCredentials,
            staff.OtpRequired,
            staff.OtpUsed,
            staff.NewPasswordRequired,
            staff.WeakPassword,
            staff.TooManyFailures,
        ),
    )
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        data: JSONBody[SmsSignIn | WechatSignIn | WechatTicketSignIn | StaffSignIn],
    ) -> Response[Tokens]:
        """By SMS code, from WeChat, or as staff by password and one-time password."""
        label = rules.device_label(request.headers.get("user-agent", ""))
        match data:
            case SmsSignIn():
                phone = accounts.parse_phone(data.phone)
                await sms_codes.redeem(session, phone, data.code)
                account = await accounts.find_or_create(session, phone)
                grant = await sessions.open_resident(
                    session, account, device_token=data.device_token, label=label
                )
            case StaffSignIn():
                member = await staff.authenticate(
                    session, data.username, data.password, data.otp, new_password=data.new_password
                )
                grant = await sessions.open_staff(session, member, label=label)
            case WechatSignIn():
                user = wechat.index_of(await registers.wechat_user(data.code))
                account = await wechat.find_or_create(session, user)
                grant = await sessions.open_resident(
                    session, account, device_token=data.device_token, label=label, wechat_index=user
                )
            case WechatTicketSignIn():
                user = await wechat_tickets.redeem(session, data.ticket, now=clock.now())
                account = await wechat.find_or_create(session, user)
                grant = await sessions.open_resident(
                    session, account, device_token=data.device_token, label=label, wechat_index=user
                )
        return _granted(request, grant, data.transport, status_code=201)

    @post(
        "/sessions/refresh",
        status_code=200,
        summary="Exchange a refresh token",
        responses=problems(refresh_tokens.InvalidRefreshToken),
    )
    async def refresh(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        data: JSONBody[SessionRefresh],
    ) -> Response[Tokens]:
        """Each refresh token is good once; repeated within ten seconds, it gets the same answer again.

        Repeated later, it ends the session, because two hold it.
        """
        transport: Transport = "body"
        token = data.refresh_token
        if token is None:
            transport = "cookie"
            token = request.cookies.get(COOKIE)
        if token is None:
            raise refresh_tokens.InvalidRefreshToken
        return _granted(request, await sessions.refresh(session, token), transport, status_code=200)

    @get("/sessions", guards=[signed_in()], summary="Where I am signed in", responses=problems(NotSignedIn))
    async def list_sessions(
        self, request: SessionRequest, session: NamedDependency[AsyncSession]
    ) -> SessionList:
        """My living sessions, newest first, so that I can end one that I do not recognise."""
        mine = request.user
        return SessionList(
            items=[
                SessionRead(
                    id=row.id,
                    label=row.label,
                    current=row.id == mine.session_id,
                    created_at=row.created_at,
                    last_used_at=row.last_used_at,
                    expires_at=row.expires_at,
                    assurance=row.level,
                )
                for row in await sessions.own(session, mine.session_id)
            ]
        )

    @delete(
        "/sessions/current",
        status_code=204,
        guards=[signed_in()],
        summary="Sign out",
        responses=problems(NotSignedIn),
    )
    async def sign_out(
        self, request: SessionRequest, session: NamedDependency[AsyncSession]
    ) -> Response[None]:
        """End this session, here at once and in every process within two seconds."""
        await sessions.end_own(session, request.user.session_id, of=request.user.session_id)
        response: Response[None] = Response(None, status_code=204)
        response.delete_cookie(COOKIE, path=_COOKIE_PATH)
        return response

    @delete(
        "/sessions/{session_id:uuid}",
        status_code=204,
        guards=[signed_in()],
        summary="End one of my sessions",
        responses=problems(NotSignedIn, NotFound),
    )
    async def end_session(
        self, request: SessionRequest, session: NamedDependency[AsyncSession], session_id: FromPath[UUID]
    ) -> None:
        """Sign another device of mine out."""
        await sessions.end_own(session, session_id, of=request.user.session_id)


def _granted(
    request: Request[Any, Any, Any], grant: Grant, transport: Transport, *, status_code: int
) -> Response[Tokens]:
    """The tokens as the answer; by cookie, no script of the page can read the refresh token."""
    tokens = Tokens(
        access_token=grant.access_token,
        expires_in_seconds=int(LIFE.total_seconds()),
        account_id=grant.owner_id,
        refresh_token=grant.refresh_token if transport == "body" else None,
        device_token=grant.device_token,
    )
    if transport == "body":
        return Response(tokens, status_code=status_code)
    cookie = Cookie(
        key=COOKIE,
        value=grant.refresh_token,
        path=_COOKIE_PATH,
        max_age=max(0, int((grant.expires_at - clock.now()).total_seconds())),
        httponly=True,
        samesite="strict",
        # Behind a balancer that ends TLS we see plain http, so production always says Secure.
        secure=request.url.scheme == "https" or Settings.from_env().is_production,
    )
    return Response(tokens, status_code=status_code, cookies=[cookie])
