"""Certificates as the people who keep them see them, over HTTP."""

from __future__ import annotations

import asyncio
import io

import httpx
import pypdfium2
import pytest

from haiyiban import certificates, clock
from haiyiban.certificates import Identifier
from haiyiban.db import Database
from tests import builders
from tests.kernel.certificates.family import (
    CHILD_NAME,
    Family,
    audited,
    family_at_home,
    issue,
    notice_claims,
    promised,
)


@pytest.fixture
async def family(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Family:
    """A guardian who is signed in, with the notice of their child."""
    return await family_at_home(api, sandbox, database)


async def test_nobody_signed_in_sees_nothing(api: httpx.AsyncClient, family: Family) -> None:
    for path in ("", f"/{family.certificate.id}", f"/{family.certificate.id}/document"):
        answer = await api.get(f"/certificates{path}")
        assert answer.status_code == 401, path
        assert answer.json()["type"] == "/problems/identity/not-signed-in"


async def test_below_level_three_nothing_is_shown(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, family: Family
) -> None:
    headers = await builders.sign_in(api, sandbox, builders.phone())
    for path in ("", f"/{family.certificate.id}", f"/{family.certificate.id}/document"):
        answer = await api.get(f"/certificates{path}", headers=headers)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "/problems/identity/step-up-needed"


async def test_another_person_finds_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, family: Family
) -> None:
    stranger = await builders.resident(api, sandbox)
    assert (await api.get("/certificates", headers=stranger)).json() == {"items": [], "next": None}
    for path in ("", "/document"):
        answer = await api.get(f"/certificates/{family.certificate.id}{path}", headers=stranger)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/certificates/not-found"


async def test_the_guardian_reads_the_child_s_notice_in_full(
    api: httpx.AsyncClient, database: Database, family: Family
) -> None:
    answer = await api.get(f"/certificates/{family.certificate.id}", headers=family.headers)
    assert answer.status_code == 200, answer.text
    read = answer.json()
    claims = family.certificate.claims
    assert read["holderName"] == CHILD_NAME
    assert read["claims"] == claims
    assert (read["type"], read["typeName"]) == ("admission-notice", "小学新生录取通知书")
    assert (read["status"], read["statusText"], read["statusReason"]) == ("valid", "有效", None)
    assert Identifier.parse(read["number"]).version == read["version"] == 1
    assert read["issuedOn"] == clock.today().isoformat()
    assert read["details"][2] == {"name": "school", "title": "录取学校", "text": claims["school"]}
    assert read["metadata"] == {
        "ZZMC": "小学新生录取通知书",
        "ZZLXDM": "11460100MB1E0A010D001",
        "ZZBH": family.certificate.serial,
        "ZZBS": read["number"],
        "ZZBFJG": "海口市教育局",
        "ZZBFJGDM": "11460100MB1E0A010D",
        "ZZBFRQ": read["issuedOn"],
        "CZZT": CHILD_NAME,
        "CZZTDM": claims["idNumber"],
        "CZZTDMLX": "居民身份证",
        "CZZTDMLXDM": "111",
        "ZZYXQQSRQ": read["validFrom"],
        "ZZYXQJZRQ": read["validUntil"],
        "CJSJ": read["metadata"]["CJSJ"],
        "KZ_ZZZTDM": "01",
        "KZ_ZZZT": "有效",
    }
    [look] = await audited(database, family.certificate.id, "certificates.read")
    assert look.actor_kind == "resident"
    assert look.fields == sorted(claims)


async def test_english_is_answered_where_it_is_asked_for(api: httpx.AsyncClient, family: Family) -> None:
    answer = await api.get(
        f"/certificates/{family.certificate.id}", headers=family.headers | {"Accept-Language": "en"}
    )
    assert answer.json()["typeName"] == "Primary school admission notice"
    assert answer.json()["details"][2]["title"] == "School"


async def test_the_list_turns_its_pages_newest_first(
    api: httpx.AsyncClient, database: Database, family: Family
) -> None:
    async with database.transaction() as session:
        newer = await issue(session, family.guardian, family.guardian, notice_claims(name="陈海"))
    first = (await api.get("/certificates", params={"limit": 1}, headers=family.headers)).json()
    assert [item["id"] for item in first["items"]] == [str(newer.id)]
    rest = await api.get("/certificates", params={"cursor": first["next"]}, headers=family.headers)
    assert [item["id"] for item in rest.json()["items"]] == [str(family.certificate.id)]
    assert rest.json()["next"] is None
    assert rest.json()["items"][0]["claims"] == family.certificate.claims
    assert await audited(database, newer.id, "certificates.read") == []


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "101"}, {"cursor": "?"}])
async def test_a_page_that_cannot_be_is_refused(
    api: httpx.AsyncClient, family: Family, params: dict[str, str]
) -> None:
    answer = await api.get("/certificates", params=params, headers=family.headers)
    assert answer.status_code == 400


async def test_a_corrected_notice_leads_to_the_new_one(
    api: httpx.AsyncClient, database: Database, family: Family
) -> None:
    async with database.transaction() as session:
        new = await certificates.correct(
            session,
            family.certificate.id,
            claims=family.certificate.claims | {"school": "海口市滨海小学"},
            reason="校名有误",
            now=clock.now(),
        )
    listed = (await api.get("/certificates", headers=family.headers)).json()["items"]
    assert [(item["id"], item["status"]) for item in listed] == [(str(new.id), "valid")]
    old = (await api.get(f"/certificates/{family.certificate.id}", headers=family.headers)).json()
    assert (old["status"], old["supersededBy"]) == ("superseded", str(new.id))
    assert (old["statusReason"], old["metadata"]["KZ_ZZZTDM"]) == ("校名有误", "05")


async def test_the_document_is_a_page_of_pdf_that_says_when_it_is_void(
    api: httpx.AsyncClient, database: Database, family: Family
) -> None:
    path = f"/certificates/{family.certificate.id}/document"
    answer = await api.get(path, headers=family.headers)
    assert answer.status_code == 200, answer.text[:200]
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'inline; filename="admission-notice-v1.pdf"'
    assert CHILD_NAME in text_of(answer.content)
    assert "失效" not in text_of(answer.content)
    async with database.transaction() as session:
        await certificates.revoke(session, family.certificate.id, reason="误发", now=clock.now())
    assert "已失效" in text_of((await api.get(path, headers=family.headers)).content)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        return str(document[0].get_textpage().get_text_range())
    finally:
        document.close()


async def test_the_keeper_is_told_without_a_name(
    sandbox: httpx.AsyncClient, database: Database, family: Family
) -> None:
    [news] = await promised(database, family.certificate.id)
    assert (news.topic, news.done_at) == ("notices.send", None)
    assert (news.due_at - news.created_at).total_seconds() == 60
    async with database.transaction() as session:
        await certificates.suspend(session, family.certificate.id, reason="核查中", now=clock.now())
    for _ in range(100):
        told = (await sandbox.get("/sms", params={"phone": family.phone})).json()
        if told:
            break
        await asyncio.sleep(0.05)
    assert "暂停" in told[0]["text"]
    assert "小学新生录取通知书" in told[0]["text"]
    assert CHILD_NAME not in told[0]["text"]


async def test_news_that_is_not_out_yet_is_recalled_with_the_certificate(
    database: Database, family: Family
) -> None:
    async with database.transaction() as session:
        await certificates.revoke(session, family.certificate.id, reason="决定已撤回", now=clock.now())
    assert [news.outcome for news in await promised(database, family.certificate.id)] == ["recalled"]
