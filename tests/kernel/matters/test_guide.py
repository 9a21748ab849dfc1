"""docs/add-a-matter.md, followed to the letter."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from haiyiban.forms import FormSchema
from haiyiban.forms import schema as forms_schema
from haiyiban.matters.catalogue import Catalogue
from haiyiban.matters.reading import BrokenCatalogue
from haiyiban.resources import data_root, schemas

GUIDE = (data_root() / "docs" / "add-a-matter.md").read_text("utf-8")
FILES = re.findall(
    r"^## \d\. [^`\n]*`(schemas/[^`]+)`\n.*?^```json\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL
)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the guide, written where it says."""
    for name, text in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    synonyms = (schemas() / "matters" / "synonyms.json").read_text("utf-8")
    (tmp_path / "schemas" / "matters" / "synonyms.json").write_text(synonyms, "utf-8")
    monkeypatch.setattr(forms_schema, "schemas", lambda: tmp_path / "schemas")
    return tmp_path / "schemas"


def test_a_matter_is_added_with_two_files_and_found(published: Path) -> None:
    catalogue = Catalogue.load(published / "matters")
    assert catalogue.get("culture.library-card").form == "library-card.v1"
    assert [matter.code for matter in catalogue.search("我想办个借书证", division="460105")] == [
        "culture.library-card"
    ]


def test_the_form_of_the_guide_asks_for_what_it_shows(published: Path) -> None:
    form = FormSchema.load("library-card.v1")
    assert [error.message.zh for error in form.validate({})] == [
        "请填写姓名",
        "请填写身份证号",
        "请选择领证的图书馆",
    ]


@pytest.mark.parametrize(("file", "meta"), list(zip(FILES, ("form", "matter"), strict=True)))
def test_the_files_of_the_guide_fit_the_shapes_it_names(file: tuple[str, str], meta: str) -> None:
    shape = json.loads((schemas() / "meta" / f"{meta}.v1.schema.json").read_text("utf-8"))
    assert jsonschema_rs.Draft202012Validator(shape).is_valid(json.loads(file[1]))


def test_the_refusal_of_the_guide_is_the_one_that_is_made(published: Path) -> None:
    name, text = FILES[1]
    (published.parent / name).write_text(text.replace('"project_type": "1"', '"project_type": "2"'), "utf-8")
    with pytest.raises(BrokenCatalogue) as refused:
        Catalogue.load(published / "matters")
    assert str(refused.value) in GUIDE
