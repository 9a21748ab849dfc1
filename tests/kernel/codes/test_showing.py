"""The holder shows a code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image

from haiyiban import certificates, clock
from haiyiban.codes import trust_file
from haiyiban.codes.claims import CertificateBody, Kind
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.drawing import qr_matrix, qr_svg
from haiyiban.codes.envelope import parse
from haiyiban.codes.trust import public_key_of, read_trust_list
from haiyiban.settings import Settings
from tests import builders

NOT_OURS = 31
"""A kind of code that nothing of this deployment offers."""


async def test_a_parent_shows_a_childs_notice(api, notice, show) -> None:
    code = await show(notice)
    said = parse(code["text"]).claims
    assert said.kind == Kind.CERTIFICATE
    assert said.exp - said.iat == 60
    assert isinstance(said.body, CertificateBody)
    assert said.body.type == "admission-notice"
    assert said.body.name != notice.child_name
    assert UUID(code["id"]).version == 7
    left = datetime.fromisoformat(code["expiresAt"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)


async def test_showing_twice_gives_two_codes_that_have_nothing_in_common(notice, show) -> None:
    first = parse((await show(notice))["text"]).claims
    second = parse((await show(notice))["text"]).claims
    assert first.cti != second.cti
    assert not _pieces(first.cti) & _pieces(second.cti)


async def test_nobody_else_can_show_it(api, sandbox, notice) -> None:
    wanted = {"kind": "certificate", "subjectId": str(notice.id)}
    assert (await api.post("/codes", json=wanted)).status_code == 401
    stranger = await builders.resident(api, sandbox)
    refused = await api.post("/codes", json=wanted, headers=stranger)
    assert refused.status_code == 404
    assert refused.json()["type"].endswith("/certificates/not-found")


async def test_below_level_three_nothing_is_shown(api, sandbox, notice) -> None:
    somebody = await builders.settle(sandbox, builders.Somebody())
    low = await builders.sign_in(api, sandbox, somebody.phone)
    wanted = {"kind": "certificate", "subjectId": str(notice.id)}
    refused = await api.post("/codes", json=wanted, headers=low)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/identity/step-up-needed")


async def test_what_cannot_be_shown_so_is_said_plainly(api, notice) -> None:
    for body, slug in (
        ({"kind": "voucher"}, "subject-missing"),
        ({"kind": "certificate"}, "subject-missing"),
        ({"kind": "identity", "subjectId": str(notice.id)}, "own-identity-only"),
    ):
        refused = await api.post("/codes", json=body, headers=notice.keeper)
        assert refused.status_code == 422
        assert refused.json()["type"].rsplit("/", 1)[-1] == slug
    assert (await api.post("/codes", json={"kind": "money"}, headers=notice.keeper)).status_code == 400


async def test_only_a_valid_certificate_is_shown(api, notice, show) -> None:
    wanted = {"kind": "certificate", "subjectId": str(notice.id)}
    code = await show(notice)
    await notice.change(certificates.suspend, reason="核查")
    refused = await api.post("/codes", json=wanted, headers=notice.keeper)
    assert (refused.status_code, refused.json()["state"]) == (409, "suspended")
    assert "text" not in refused.json()
    picture = await api.get(f"/codes/{code['id']}/image.svg", headers=notice.keeper)
    assert picture.status_code == 409
    await notice.change(certificates.reinstate, reason="核查无误")
    assert await show(notice)
    await notice.change(certificates.correct, claims=_claims(), reason="更正校名")
    refused = await api.post("/codes", json=wanted, headers=notice.keeper)
    assert (refused.status_code, refused.json()["state"]) == (409, "superseded")


async def test_a_code_knows_what_became_of_it(api, notice, show, scan, accredit) -> None:
    code = await show(notice)
    path = f"/codes/{code['id']}"
    fresh = (await api.get(path, headers=notice.keeper)).json()
    assert fresh == {
        "id": code["id"],
        "kind": "certificate",
        "state": "shown",
        "expiresAt": code["expiresAt"],
    }
    assert (await scan(code["text"], by=await accredit("enrolment", name="一号窗口")))["outcome"] == "valid"
    used = (await api.get(path, headers=notice.keeper)).json()
    assert used["state"] == "used"
    assert used["usedBy"].startswith("一号窗口")
    assert (await api.get(f"{path}/image.svg", headers=notice.keeper)).status_code == 404


@pytest.mark.same_signature
async def test_the_picture_is_the_code(api, notice, show) -> None:
    code = await show(notice)
    answer = await api.get(f"/codes/{code['id']}/image.svg", headers=notice.keeper)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == qr_svg(code["text"])
    matrix = qr_matrix(code["text"])
    picture = Image.new("L", (len(matrix) + 8, len(matrix) + 8), 255)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if dark else 255)
    read = zxingcpp.read_barcodes(picture.resize((picture.width * 5, picture.height * 5)))
    assert [found.text for found in read] == [code["text"]]


async def test_another_persons_code_is_not_there(api, sandbox, notice, show) -> None:
    code = await show(notice)
    stranger = await builders.resident(api, sandbox)
    for path in (f"/codes/{code['id']}", f"/codes/{code['id']}/image.svg"):
        assert (await api.get(path, headers=stranger)).status_code == 404


async def test_a_code_cannot_be_had_for_later_or_from_long_ago(api, notice, show, database) -> None:
    async with database.reading() as session:
        row = await session.get_one(certificates.Certificate, notice.id)
    for offset in (timedelta(seconds=30), timedelta(days=-1)):
        made_up = new_code_id(Kind.CERTIFICATE, row.ref, now=clock.now() + offset)
        answer = await api.get(f"/codes/{made_up}/image.svg", headers=notice.keeper)
        assert answer.status_code == 404, offset
    old = new_code_id(Kind.CERTIFICATE, row.ref, now=clock.now() - timedelta(days=1))
    assert (await api.get(f"/codes/{old}", headers=notice.keeper)).json()["state"] == "expired"


async def test_terminals_fetch_the_trust_list(api, notice, show, settings: Settings) -> None:
    answer = await api.get("/trust-list")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/jwt")
    assert answer.headers["cache-control"].startswith("public")
    trust = read_trust_list(answer.text, public_key_of(trust_file.root_jwk(settings.keys_dir)))
    code = parse((await show(notice))["text"])
    at = clock.now().timestamp()
    assert trust.keys_for(code.kid, alg=code.alg, kind=Kind.CERTIFICATE, at=at)
    assert not trust.keys_for(code.kid, alg=code.alg, kind=NOT_OURS, at=at)
    again = await api.get("/trust-list", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def _claims() -> dict[str, object]:
    return {
        "name": "陈小海",
        "idNumber": builders.id_number(),
        "school": "秀英区长滨小学",
        "schoolYear": 2027,
    }


def _pieces(cti: bytes) -> set[bytes]:
    return {cti[at : at + 4] for at in range(13)}
