"""The written decision (决定书): what it says, when it has its proof, and what becomes of it by an undo."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import pytest

from haiyiban import clock
from haiyiban.audit import keys, proofs, record
from haiyiban.audit.commands import audit
from haiyiban.cases import decision_words, publishing
from haiyiban.cases.models import Case
from haiyiban.cases.states import Verb
from haiyiban.certificates import signer
from haiyiban.codes.certificate_commands import certificate
from haiyiban.db import Database
from haiyiban.matters import catalogue
from haiyiban.settings import Settings
from tests import builders
from tests.command import run
from tests.kernel.cases.office import PROOF, SENIOR, Citizen, Office, audited
from tests.kernel.enterprises.companies import credit_code
from tests.sealed_log import grow

FOOD = "market-regulation.food-business-licence"
WANTED = {
    "enterprise": {"name": "海口椰风小馆", "uscc": credit_code()},
    "kinds": ["packaged"],
    "premises": {"division": "460105", "address": "海南省海口市秀英区样例路1号"},
}
NOTE = '经营场所距离污染源不足 25 米 #panic("x")'


async def decision(citizen: Citizen, case: dict[str, Any]) -> httpx.Response:
    return await citizen.api.get(f"/cases/{case['id']}/decision", headers=citizen.headers)


def read(pdf: bytes) -> tuple[str, list[bytes]]:
    """The words of all pages on one line, and what is attached."""
    document = pypdfium2.PdfDocument(pdf)
    words = "".join(page.get_textpage().get_text_range() for page in document)
    attached = [
        bytes(document.get_attachment(place).get_data()) for place in range(document.count_attachments())
    ]
    document.close()
    return "".join(words.split()), attached


async def test_a_permit_that_is_denied_has_its_reasons_its_remedies_and_its_proof(
    newcomer: Citizen, api: httpx.AsyncClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    citizen = newcomer
    draft = await citizen.draft(FOOD)
    assert (await citizen.patch(draft, WANTED)).status_code == 200
    handed_in = await citizen.submit(draft)
    assert handed_in.status_code == 200, handed_in.text
    case = handed_in.json()
    early = await decision(citizen, case)
    assert (early.status_code, builders.slug(early)) == (409, "not-decided")
    desk = Office(api, agency="market-regulation")
    await desk.done(case, "accept")
    await desk.done(case, "deny", note=NOTE)
    size = await grow(database)

    answer = await decision(citizen, case)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    words, [proof] = read(answer.content)
    for said in (
        "不予行政许可决定书",
        "《中华人民共和国行政许可法》第三十八条第二款",
        "《中华人民共和国食品安全法》第三十五条",
        "".join(NOTE.split()),
        "没有上传「经营场所平面图」",
        citizen.somebody.name,
        case["number"],
        "六十日内，向海口市人民政府申请行政复议",
        "六个月内，依法向人民法院提起行政诉讼",
        "海口市市场监督管理局",
    ):
        assert said in words, said
    assert citizen.somebody.id_number not in words
    assert "已撤回" not in words
    proved = proofs.check(proof.decode(), keys.public(Settings.from_env()))
    assert (proved.entry["action"], str(proved.entry["objectId"])) == ("cases.deny", case["id"])
    assert proved.checkpoint.size >= size
    assert f"第{proved.number}号（共{proved.checkpoint.size}条）" in words
    assert base64.b64encode(proved.checkpoint.root).decode() in words
    file, roots = tmp_path / "decision.pdf", settings.keys_dir / signer.ROOTS_FILE
    file.write_bytes(answer.content)
    done = run(certificate, ["verify", str(file), "--root", str(roots), "--json"])
    signature = json.loads(done.stdout)
    assert (done.exit_code, signature["finding"], signature["coversWholeFile"]) == (0, "good", True)
    done = run(audit, ["check", str(file)])
    assert (done.exit_code, "cases.deny" in done.output) == (0, True), done.output

    theirs = await api.get(f"/desk/cases/{case['id']}/decision", headers=await desk.headers())
    assert theirs.status_code == 200
    assert "不予行政许可决定书" in read(theirs.content)[0]
    [look] = [each for each in await audited(database, case, "cases.read") if each.fields == ["decision"]]
    assert look.actor_kind == "staff"


async def test_before_it_is_sealed_a_decision_says_when_it_will_have_its_proof_and_undone_how_the_case_stands(
    newcomer: Citizen, office: Office, database: Database
) -> None:
    case = await newcomer.handed_in(SENIOR)
    await office.done(case, "accept")
    async with database.transaction() as late:
        # While this one is open nothing after it is sealed.
        await record(late, "test.late")
        await office.done(case, "approve")
        words, attached = read((await decision(newcomer, case)).content)
    assert "准予办理决定书" in words
    assert "决定记录在一分钟内封存" in words
    assert attached == []

    assert (await office.act(case, "undo")).status_code == 200
    words, _ = read((await decision(newcomer, case)).content)
    assert "决定已撤回" in words
    assert "办件现状：办理中" in words

    await office.done(case, "deny", note="不满八十周岁")
    words, _ = read((await decision(newcomer, case)).content)
    assert "不予批准决定书" in words
    assert "不满八十周岁" in words
    assert "已撤回" not in words
    assert "代替此前决定" not in words, "what was undone never counted"

    async with database.transaction() as session:
        held = await session.get_one(Case, UUID(case["id"]))
        await publishing.revise(session, held, Verb.APPROVE, note="复核后改正", by_id=None, now=clock.now())
    words, _ = read((await decision(newcomer, case)).content)
    assert "准予办理决定书" in words
    assert "代替此前决定" in words
    assert "复核后改正" in words


@pytest.mark.parametrize(
    ("verb", "matter", "title", "article"),
    [
        (Verb.APPROVE, FOOD, "准予行政许可决定书", "第三十八条第一款"),  # 行政许可法 art. 38(1)
        (Verb.DENY, FOOD, "不予行政许可决定书", "第三十八条第二款"),  # art. 38(2)
        (Verb.REFUSE, FOOD, "不予受理决定书", "第三十二条"),  # art. 32
        (Verb.TERMINATE, FOOD, "终止办理决定书", ""),
        (Verb.APPROVE, PROOF, "准予办理决定书", ""),  # no permit: the law on them says nothing
        (Verb.DENY, PROOF, "不予批准决定书", ""),
        (Verb.REFUSE, PROOF, "不予受理决定书", ""),
    ],
)
def test_a_decision_is_called_what_the_law_calls_it(
    verb: Verb, matter: str, title: str, article: str
) -> None:
    found = catalogue().get(matter)
    form = decision_words.form_of(verb, found.item)
    assert (form.title.zh, form.article) == (title, article)
    said = decision_words.statement(form, found.item, found.name.words)
    assert (("行政许可法" in said.zh), article in said.zh) == (bool(article), True)
    assert all(law in said.zh for law in found.item.by_law)


def test_reconsideration_is_asked_of_the_government_whose_department_decided() -> None:
    item = catalogue().get(FOOD).item
    assert item.dept_code[2:8] == "460100"
    assert "向海口市人民政府" in decision_words.remedy(item, division="460105").zh
