"""Types of certificate as data: what is published holds, what is broken is refused."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from haiyiban.certificates import types
from haiyiban.certificates.types import BrokenCertificateType, CertificateType, UnknownCertificateType
from haiyiban.matters.catalogue import Catalogue
from haiyiban.matters.reading import BrokenCatalogue
from haiyiban.resources import schemas

FOLDER = schemas() / "certificates"
NOTICE = json.loads((FOLDER / "admission-notice.v1.json").read_text("utf-8"))
CLAIMS = {
    "name": "欧阳娜娜",
    "idNumber": "460105199003070017",
    "division": "460105",
    "months": 86,
    "purpose": "school",
}


def changed(**parts: Any) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(NOTICE)
    for path, value in parts.items():
        *above, last = path.split("__")
        here = document
        for part in above:
            here = here["x-certificate"] if part == "about" else here[part]
        here[last] = value
    return document


def test_every_published_type_is_sound_and_named_after_its_file() -> None:
    for file in FOLDER.glob("*.json"):
        name, version = file.stem.split(".v")
        assert types.published(name, int(version)).document == json.loads(file.read_text("utf-8"))


def test_every_matter_that_issues_names_a_type_that_exists() -> None:
    issued = {matter.issues for matter in Catalogue.load(schemas() / "matters").search() if matter.issues}
    assert {"admission-notice", "social-insurance-proof"} <= issued
    for name in issued:
        assert types.current(name).description.type == name


def test_an_unknown_type_is_no_type() -> None:
    with pytest.raises(UnknownCertificateType):
        types.current("driving-licence-of-the-moon")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (changed(about__code="11460100MB1E0A010E001"), "x-certificate/code"),
        (changed(about__issuer={"name": {"zh": "局", "en": "x"}, "code": "1" * 18}), "x-certificate/issuer"),
        (changed(about__validity={"days": 3, "untilMonthDay": "09-30"}), "two ends"),
        (changed(about__validity={"untilMonthDay": "06-31"}), "no such day"),
        (changed(about__validity={"untilMonthDay": "02-29"}), "untilMonthDay"),
        (changed(about__division="999999"), "division"),
        (changed(about__colour="red"), "colour"),
        (changed(additionalProperties=True), "additionalProperties"),
        (changed(required=["name"]), "idNumber is required"),
        (changed(properties__name={"type": "string", "title": "名", "x-title-en": "n"}), "name is required"),
        (changed(properties__school={"type": "object", "title": "校", "x-title-en": "s"}), "school"),
        (changed(properties__school={"type": "string"}), "no title"),
        (changed(properties__school={"type": "strin", "title": "校", "x-title-en": "s"}), "strin"),
        (changed(title=""), "no name"),
        ({"type": "object"}, "Expected"),
    ],
)
def test_a_broken_type_is_refused_with_the_reason(document: dict[str, Any], why: str) -> None:
    with pytest.raises(BrokenCertificateType, match=why):
        CertificateType(document)


def test_the_least_holds_neither_name_nor_number() -> None:
    proof = types.current("social-insurance-proof")
    assert proof.least(CLAIMS) == {"division": "460105", "months": 86}
    for file in FOLDER.glob("*.json"):
        for claim, said in json.loads(file.read_text("utf-8"))["properties"].items():
            assert not (said.get("x-least") and "x-mask" in said), (file.name, claim)


def test_masked_claims_cover_who_it_is() -> None:
    masked = types.current("social-insurance-proof").masked(CLAIMS)
    assert masked == CLAIMS | {"name": "欧**娜", "idNumber": "460***********0017"}


def test_people_read_claims_in_their_order_and_words() -> None:
    lines = types.current("social-insurance-proof").lines(dict(reversed(CLAIMS.items())))
    assert [(line.claim, line.text.zh) for line in lines] == [
        ("name", "欧阳娜娜"),
        ("idNumber", "460105199003070017"),
        ("division", "秀英区"),
        ("months", "86个月"),
        ("purpose", "子女入学"),
    ]
    assert lines[4].text.en == "A child's schooling"
    report = types.current("admission-notice").lines({"reportFrom": "2027-08-05"})
    assert report[0].text == ("2027年8月5日", "2027-08-05")


@pytest.mark.parametrize(
    ("type_", "end"), [("admission-notice", date(2027, 9, 30)), ("social-insurance-proof", date(2027, 2, 19))]
)
def test_a_type_says_how_long_its_certificates_are_valid(type_: str, end: date) -> None:
    assert types.current(type_).description.validity.end(date(2026, 11, 21)) == end


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"issues": "no-such-certificate"}, "/issues"),
        ({"claims": {"name": "/applicant/name", "idNumber": "/applicant/idNumber"}}, "/claims"),
        ({"claims": {"salary": "/applicant/name"}}, "/claims/salary"),
        ({"claims": {"name": "/applicant/salary"}}, "/claims/name"),
    ],
)
def test_a_matter_whose_certificate_cannot_be_issued_is_refused(
    tmp_path: Path, change: dict[str, Any], pointer: str
) -> None:
    name = "social-insurance.proof.v1.json"
    document = json.loads((schemas() / "matters" / name).read_text("utf-8"))
    (tmp_path / name).write_text(json.dumps(document | change), "utf-8")
    with pytest.raises(BrokenCatalogue) as refused:
        Catalogue.load(tmp_path)
    assert pointer in [finding.pointer for finding in refused.value.findings[name]]
