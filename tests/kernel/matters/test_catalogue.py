"""The published catalogue, what it refuses, and that people find in it what they mean."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from haiyiban.forms import FormSchema
from haiyiban.matters.catalogue import Catalogue, MatterUnknown
from haiyiban.matters.metrics import figures
from haiyiban.matters.reading import BrokenCatalogue
from haiyiban.matters.shape import matter_schema
from haiyiban.resources import schemas

FOLDER = schemas() / "matters"
META = schemas() / "meta"
PROOF = "social-insurance.proof"
EVERYDAY: dict[str, str] = json.loads(Path(__file__).with_name("everyday_words.json").read_text("utf-8"))
"""What people type, written down before the synonyms and never copied into them."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(FOLDER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue of one good file, to be broken."""
    for name in (f"{PROOF}.v1.json", "synonyms.json"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def rewrite(folder: Path, name: str = f"{PROOF}.v1.json", /, **changes: Any) -> None:
    document = json.loads((folder / f"{PROOF}.v1.json").read_text("utf-8"))
    item = document["item"] | changes.pop("item", {})
    (folder / name).write_text(json.dumps(document | changes | {"item": item}), "utf-8")


def refusals(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(BrokenCatalogue) as refused:
        Catalogue.load(folder)
    return [(found.rule, found.pointer) for in_file in refused.value.findings.values() for found in in_file]


def test_the_published_catalogue_keeps_every_rule(catalogue: Catalogue) -> None:
    assert len(catalogue.search()) >= 14


def test_each_matter_file_fits_the_published_shape() -> None:
    shape = jsonschema_rs.Draft202012Validator(
        json.loads((META / "matter.v1.schema.json").read_text("utf-8"))
    )
    for file in FOLDER.glob("*.v*.json"):
        assert [error.message for error in shape.iter_errors(json.loads(file.read_text("utf-8")))] == []
    assert not shape.is_valid({})


def test_the_published_shape_is_that_of_the_code() -> None:
    assert (META / "matter.v1.schema.json").read_text("utf-8") == matter_schema(), (
        "run: python -m haiyiban.matters.shape > schemas/meta/matter.v1.schema.json"
    )


def test_the_synonyms_fit_their_shape() -> None:
    shape = jsonschema_rs.Draft202012Validator(
        json.loads((META / "synonyms.v1.schema.json").read_text("utf-8"))
    )
    assert list(shape.iter_errors(json.loads((FOLDER / "synonyms.json").read_text("utf-8")))) == []


def test_school_places_and_social_insurance_are_as_the_engine_expects(catalogue: Catalogue) -> None:
    school, proof = catalogue.get("education.school-place"), catalogue.get(PROOF)
    assert (school.subject, school.decided_by, school.issues) == ("child", "publication", "admission-notice")
    assert (proof.subject, proof.decided_by, proof.issues) == ("self", "clerk", "social-insurance-proof")
    assert (proof.item.promise_day, proof.item.project_type) == (1, "2")


def test_in_the_proof_of_social_insurance_only_the_purpose_is_left_to_the_person(
    catalogue: Catalogue,
) -> None:
    proof = catalogue.get(PROOF)
    form = FormSchema.load(proof.form)
    needed = {error.pointer for error in form.validate({})}
    assert needed - {rule.pointer for rule in proof.prefill} == {"/purpose"}


def test_no_two_matters_share_a_code_of_the_state(catalogue: Catalogue) -> None:
    codes = [matter.item.task_code for matter in catalogue.search()]
    assert len(codes) == len(set(codes))


def test_an_unknown_matter_is_not_found(catalogue: Catalogue) -> None:
    with pytest.raises(MatterUnknown):
        catalogue.get("education.none")
    with pytest.raises(MatterUnknown):
        catalogue.version(PROOF, 2)


def test_a_case_keeps_the_version_it_was_opened_under(folder: Path) -> None:
    rewrite(folder, f"{PROOF}.v2.json", version=2)
    rewrite(folder, f"{PROOF}.v10.json", version=10)
    catalogue = Catalogue.load(folder)
    assert catalogue.get(PROOF).version == 10
    assert catalogue.version(PROOF, 2).version == 2
    assert [matter.version for matter in catalogue.search()] == [10]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"item": {"promise_day": 0}}, ("Q1", "/item/project_type")),
        ({"form": "none.v1"}, ("form", "/form")),
        (
            {"prefill": [{"pointer": "/shoe", "register": "population", "path": "/name"}]},
            ("form", "/prefill/0/pointer"),
        ),
        (
            {"handledBy": {"agency": "x", "divisionFrom": ["/applicant/none"]}},
            ("form", "/handledBy/divisionFrom/0"),
        ),
        ({"handledBy": {"agency": "x"}}, ("handler", "/handledBy")),
        ({"divisions": ["469028", "999999"]}, ("division", "/divisions/1")),
        ({"divisions": ["469003"]}, ("division", "/divisions/0")),
        ({"code": "social-insurance.other"}, ("file", "/code")),
        ({"version": 2}, ("file", "/code")),
        ({"shoe": 1}, ("shape", "")),
        ({"minLevel": "L5"}, ("shape", "")),
    ],
)
def test_a_broken_file_refuses_the_catalogue(
    folder: Path, changes: dict[str, Any], refusal: tuple[str, str]
) -> None:
    rewrite(folder, **changes)
    assert refusals(folder) == [refusal]


def test_all_that_is_wrong_in_all_files_is_told_at_once(folder: Path) -> None:
    rewrite(folder, item={"promise_day": 9, "link_way": "66500101"})
    (folder / "x.y.v1.json").write_text('{"code": 1, "code": 2}', "utf-8")
    with pytest.raises(BrokenCatalogue, match=r"Q8 /item/link_way") as refused:
        Catalogue.load(folder)
    assert {name: [f.rule for f in found] for name, found in refused.value.findings.items()} == {
        f"{PROOF}.v1.json": ["Q8", "Q12"],
        "x.y.v1.json": ["json"],
    }


def codes(catalogue: Catalogue, query: str = "", **where: Any) -> list[str]:
    return [matter.code for matter in catalogue.search(query, **where)]


def test_a_child_going_to_school_finds_school_places_first(catalogue: Catalogue) -> None:
    assert codes(catalogue, "小孩上学")[0] == "education.school-place"


def test_everyday_words_find_what_people_mean(catalogue: Catalogue) -> None:
    missed = [phrase for phrase, code in EVERYDAY.items() if code not in codes(catalogue, phrase)[:3]]
    assert len(EVERYDAY) >= 60
    assert len(missed) <= 0.05 * len(EVERYDAY), missed


def test_everyday_phrases_are_kept_apart_from_the_synonyms() -> None:
    synonyms = json.loads((FOLDER / "synonyms.json").read_text("utf-8"))
    known = {word for notion in synonyms["notions"] for word in notion}
    # A bare word may be both; a longer phrase would be the answer written beside the question.
    assert {phrase for phrase in EVERYDAY if len(phrase) > 4} & known == set()


def test_code_and_name_find_their_matter_first(catalogue: Catalogue) -> None:
    for matter in catalogue.search():
        for query in (
            matter.code,
            matter.name.zh,
            matter.name.en,
            matter.name.en.upper(),
            f" {matter.name.zh}？",
        ):
            assert codes(catalogue, query)[0] == matter.code, query


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_lists_all_in_order(catalogue: Catalogue, query: str) -> None:
    assert codes(catalogue, query) == sorted(codes(catalogue, query))


@pytest.mark.parametrize("query", ["量子物理", "zzz", "？！", "\0", "𠅤", "a" * 5000, "学" * 5000])
def test_odd_queries_are_answered(catalogue: Catalogue, query: str) -> None:
    assert isinstance(codes(catalogue, query), list)


def test_nonsense_finds_nothing(catalogue: Catalogue) -> None:
    assert codes(catalogue, "量子物理") == []


def test_the_same_query_answers_the_same_list(catalogue: Catalogue) -> None:
    again = Catalogue.of(reversed(catalogue.search()), catalogue.everyday)
    for phrase in EVERYDAY:
        assert codes(again, phrase) == codes(catalogue, phrase)


def test_a_search_is_narrowed_by_zone_audience_and_division(catalogue: Catalogue) -> None:
    assert codes(catalogue, zone="elderly") == ["civil-affairs.senior-allowance", "civil-affairs.senior-card"]
    assert "market-regulation.food-business-licence" in codes(catalogue, audience="enterprise")
    assert PROOF not in codes(catalogue, audience="enterprise")
    assert codes(catalogue, "小孩上学", zone="elderly") == []


@pytest.mark.parametrize(
    ("division", "offered"),
    [
        ("460100", True),  # where it is offered
        ("460105", True),  # 秀英区, inside 海口市
        ("460105000000", True),  # the same, padded
        ("460000", True),  # the province holds it
        ("460200", False),  # 三亚市
        ("469028", False),
        ("999999", False),
    ],
)
def test_a_matter_is_offered_in_its_subtree(catalogue: Catalogue, division: str, offered: bool) -> None:
    assert ("education.school-place" in codes(catalogue, division=division)) is offered


def test_a_matter_of_the_province_is_offered_everywhere(catalogue: Catalogue) -> None:
    assert PROOF in codes(catalogue, division="469028")


def test_what_is_asked_by_agency_certificate_and_reach_is_what_all_matters_say(catalogue: Catalogue) -> None:
    everything = list(catalogue.search())
    assert catalogue.agencies == {matter.handled_by.agency for matter in everything}
    for agency in catalogue.agencies:
        assert list(catalogue.of_agency(agency)) == [m for m in everything if m.handled_by.agency == agency]
    assert list(catalogue.of_agency("none")) == []
    assert list(catalogue.across()) == [matter for matter in everything if matter.item.handle_area] != []
    for certificate in {matter.issues for matter in everything if matter.issues}:
        assert catalogue.issuing(certificate) == next(m for m in everything if m.issues == certificate)
    assert catalogue.issuing("none") is None


def test_a_list_of_matters_is_cut_and_read_as_any_list(catalogue: Catalogue) -> None:
    everything = list(catalogue.search())
    assert list(catalogue.search()[2:5]) == everything[2:5]
    assert catalogue.search()[-1] == everything[-1]
    assert len(catalogue.search()) == len(everything)


def test_all_shares_of_the_published_catalogue_can_be_reckoned(catalogue: Catalogue) -> None:
    shown = figures(catalogue.search())
    assert shown.time_saved is not None
    assert 0 < shown.time_saved < 1
