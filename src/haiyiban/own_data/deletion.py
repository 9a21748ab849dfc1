"""The end of an account (注销), in one transaction: what stands in the way, what goes, what stays.

Source: 个人信息保护法 art. 47; docs/domain.md §13; docs/your-data.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.context import current
from haiyiban.errors import Conflict, NotSignedIn, Words
from haiyiban.identity import accounts, closing
from haiyiban.own_data import folders
from haiyiban.zone import InTheWay, Kept


class AccountInUse(Conflict):
    """Something is under way; `inTheWay` names each thing, the way out, and the page of the phone for it."""

    type = "own-data/account-in-use"
    title = Words("还有未了结的事项，暂时不能注销", "Something is still under way; the account stays open")

    def __init__(self, found: Sequence[InTheWay]) -> None:
        language = current().language
        told = [
            {
                "what": each.what.in_language(language),
                "wayOut": each.way_out.in_language(language),
                "link": each.link,
            }
            for each in found
        ]
        detail = Words(
            f"共 {len(found)} 项，请逐项办理后再注销",
            f"{len(found)} in all; settle each, then close the account",
        )
        super().__init__(detail, members={"inTheWay": told})


async def delete_account(
    session: AsyncSession, account_id: UUID, *, person_id: UUID, now: datetime
) -> list[Kept]:
    """Close the account of a person. Returns what stays. A second click that comes at the same time waits for
    the first, finds nothing left to do and is answered alike.

    Raises AccountInUse, and NotSignedIn where the person moved to another account meanwhile.
    """
    account = await closing.hold(session, account_id, person_id)
    if account.person_id != person_id and await accounts.of_person(session, person_id) is not None:
        raise NotSignedIn
    if account.person_id == person_id and (found := await in_the_way(session, person_id)):
        raise AccountInUse(found)
    kept: list[Kept] = []
    # Zones before the features that they hang on.
    for folder in reversed(folders.installed()):
        if folder.forget is not None:
            kept = [*await folder.forget(session, person_id), *kept]
    if account.person_id == person_id:
        await closing.close(session, account, now=now)
    return [*kept, *_ALWAYS]


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """What must be over first, of every folder."""
    return [
        each
        for folder in folders.installed()
        if folder.in_the_way is not None
        for each in await folder.in_the_way(session, person_id)
    ]


_ALWAYS = (
    Kept(
        Words("姓名和证件号码（加密）", "Name and document number, encrypted"),
        Words("与上述办件、证照、审计同期保存", "as long as what is named here"),
        Words(
            "依法保存的记录须能对应到人；您重新实名后可再次查看（个人信息保护法 第47条第二款）",
            "What is kept by law must be somebody's; with your real name you see it again (PIPL, art. 47)",
        ),
    ),
    Kept(
        Words("审计和访问记录（以代号记人，不含内容）", "Audit and access log: pseudonyms, no contents"),
        Words("三年，此后代号不再能对应到您", "three years; then no pseudonym leads to you any more"),
        Words(
            "网络日志不少于六个月（网络安全法）；个人信息访问记录保存三年",
            "Network logs six months at least (Cybersecurity Law); access to personal data three years",
        ),
    ),
)
"""Of everybody. Source: docs/domain.md §13 (logs)."""
