"""The texts themselves."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from haiyiban import resources
from haiyiban.notices.templates import TEMPLATES, UnknownTemplate, render, values_of

PERSONAL = {"name", "holder", "idNumber", "id_number", "phone", "address", "child"}


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_text_says_the_same_in_both_languages_and_names_nobody(template: str) -> None:
    english = {name for _, name, _, _ in Formatter().parse(TEMPLATES[template].en) if name}
    assert english == values_of(template)
    assert not english & PERSONAL
    values = dict.fromkeys(english, "x")
    assert render(template, values, language="zh-CN").startswith("【海易办】")
    assert render(template, values, language="en").startswith("[Haiyiban] ")


def test_a_text_that_does_not_exist_or_lacks_a_value_is_our_mistake() -> None:
    with pytest.raises(UnknownTemplate):
        render("cases.forgotten", {}, language="zh-CN")
    with pytest.raises(UnknownTemplate):
        render("identity.sms-code", {"minutes": "5"}, language="zh-CN")


def test_every_text_that_identity_posts_exists() -> None:
    """Identity stands below notices and names its texts in the outbox by hand."""
    folder = resources.data_root() / "src" / "haiyiban" / "identity"
    source = "".join(path.read_text() for path in sorted(Path(folder).glob("*.py")))
    named = set(re.findall(r'"template": "([^"]+)"', source))
    assert named == {"identity.sms-code", "identity.person-moved"}
    assert named <= TEMPLATES.keys()
