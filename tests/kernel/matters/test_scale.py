"""The made-up catalogue passes what every matter file passes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from haiyiban import divisions, resources
from haiyiban.matters import scale
from haiyiban.matters.catalogue import Catalogue
from haiyiban.population import SIZES


def test_the_catalogue_takes_them_beside_its_own(tmp_path: Path) -> None:
    sizes = SIZES["hamlet"]._replace(matters=200)
    folder = tmp_path / "matters"
    scale.write(folder, sizes)
    scale.write(folder, sizes)
    own = resources.schemas() / "matters"
    alone, both = Catalogue.load(own), Catalogue.load(own, folder)
    assert len(both.versions()) == len(alone.versions()) + 200
    made = both.get(next(scale.matters(sizes)).code)
    assert made.code in {found.code for found in both.search(made.name.zh)[:3]}
    assert made.name.zh.endswith("（示例）")


def test_a_province_has_them_all_over() -> None:
    made = list(scale.matters(SIZES["province"]))
    assert len({matter.code for matter in made}) == len(made) == 19_723
    assert len({matter.item.task_code for matter in made}) == len(made)
    levels = Counter(divisions.get(matter.divisions[0]).level for matter in made)
    assert levels.keys() == {"province", "city", "county", "township", "village"}
    assert levels["village"] == 3_296
    assert len({matter.name.zh for matter in made}) == len(made)
