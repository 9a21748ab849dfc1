"""Making capsules (form b): what a phone keeps for hours and adds its own proofs to, so that showing a code
asks nothing of the server.

Source: schemas/codes/README.md §1 and the protocol of binding.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.codes import nonces
from haiyiban.codes.claims import Claims, DeviceKey
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.device_keys import BindingKey
from haiyiban.codes.envelope import sign_capsule
from haiyiban.codes.kinds import CodeKind, Showable
from haiyiban.codes.models import Capsule
from haiyiban.codes.signing import CodeKeys
from haiyiban.errors import Conflict, FieldError, Words
from haiyiban.identity.callers import ResidentCaller
from haiyiban.terms import Ending, Term

_KEPT = timedelta(days=7)
"""After its end a capsule's row only tells its holder what became of it."""


class DeviceKeyUsed(Conflict):
    """The key belongs to another capsule: two of the same key could be told to be one phone's."""

    type = "codes/device-key-used"
    title = Words("这个手机密钥已经用过", "This device key has been used before")

    def __init__(self) -> None:
        words = Words("请换一对新密钥再试", "make a new key pair and try again")
        super().__init__(errors=[FieldError("/deviceKey", words)])


class Issued(NamedTuple):
    """A capsule for a phone to keep."""

    id: UUID
    capsule: bytes
    expires_at: datetime


async def issue(
    session: AsyncSession,
    kind: CodeKind,
    found: Showable,
    *,
    binding: BindingKey,
    caller: ResidentCaller,
    keys: CodeKeys,
    now: datetime,
) -> Issued:
    """Bind what may be shown to the caller's phone; the nonce of the proof is then used up.

    Raises DeviceProofWrong, NonceExpired, NonceUsed, DeviceCodesUnavailable, DeviceKeyUsed.
    """
    await nonces.current().redeem(
        caller.account_id, fits=lambda nonce: binding.proves(caller.account_id, nonce), now=now
    )
    issued_at = now.replace(microsecond=0)
    expires_at = _end(issued_at, kind, found)
    code_id = new_code_id(kind.number, found.ref, now=now)
    cti = keys.cti.seal(code_id)
    added = await session.scalar(
        upsert(Capsule)
        .values(
            id=code_id,
            cti=cti,
            kind=kind.number,
            ref=found.ref,
            account_id=caller.account_id,
            session_id=caller.session_id,
            device_key=_fingerprint(binding.public),
            issued_at=issued_at,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["device_key"])
        .returning(Capsule.id)
    )
    if added is None:
        raise DeviceKeyUsed
    await audit.record(
        session,
        "codes.issue-capsule",
        subject=found.holder_id,
        object_kind="capsule",
        object_id=code_id,
        reason=kind.name,
    )
    claims = Claims(
        iss=keys.issuer,
        iat=int(issued_at.timestamp()),
        exp=int(expires_at.timestamp()),
        cti=cti,
        kind=kind.number,
        body=found.body,
        cnf=DeviceKey.of(binding.public),
    )
    return Issued(code_id, sign_capsule(claims, keys.signer(now)), expires_at)


def _end(issued_at: datetime, kind: CodeKind, found: Showable) -> datetime:
    end = issued_at + kind.capsule_life
    return end if found.until is None else min(end, found.until)


def _fingerprint(key: ec.EllipticCurvePublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)).digest()


TERM = Term(
    data_class="codes.capsules",
    what=Words("手机上的设备绑定码", "Codes bound to a phone"),
    tables=(Capsule,),
    kept=Words("失效后 7 天", "7 days after they end"),
    why=Words(
        "失效前须告知离线终端，其后一周内本人可查询去向（个人信息保护法 第19条）",
        "Offline terminals are told of them until their end; for a week after it their holder may ask what "
        "became of one (PIPL, art. 19)",
    ),
    ending=Ending(table=Capsule, since=Capsule.expires_at, after=_KEPT, every=timedelta(hours=1)),
)
