"""The families of the sandbox fall into the classes that they are there to show."""

from __future__ import annotations

import httpx
import pytest

from tests import builders
from tests.builders import Somebody
from tests.zones.school_places.conftest import Headers, MakeRound, apply

CASES = [
    ("林示例", "椰风", 0, 1),
    ("陈样例", "观澜", 0, 0),
    ("王演示", "椰风", 0, 2),
    ("符假名", "秀港", 0, 2),
    ("吴虚构", "晴川", 0, 3),
    ("杨设例", "晴川", 0, 3),
    ("黎试用", "白榕", 0, 4),
    ("周设想", "听潮", 0, 5),
    ("郑模拟", "听潮", 0, 6),
    ("何成双", "木棉", 0, 1),
    ("韩多福", "角梅", 0, 1),
    ("李𠅤", "椰风", 0, 1),
    ("阿依·示例", "观澜", 0, 1),
]


@pytest.mark.parametrize(("name", "community", "outside", "rank"), CASES)
async def test_each_family_is_in_the_class_it_shows(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    name: str,
    community: str,
    outside: int,
    rank: int,
) -> None:
    world = (await sandbox.get("/world")).json()["residents"]
    found = next(resident for resident in world if resident["name"] == name)
    who = Somebody(name=name, id_number=found["idNumber"], phone=found["phone"])
    made = await make_round({community: 3})
    headers = await builders.sign_in(api, sandbox, who.phone)
    await builders.prove(api, headers, who)
    opened = await api.post("/cases", json={"matter": "education.school-place"}, headers=headers)
    assert opened.status_code == 201, opened.text
    several = (opened.json().get("choicesFor") or {}).get("/child")
    child = several[0]["idNumber"] if several else None
    answer = await apply(api, headers, [made.schools[community]], child=child)
    assert answer.status_code == 200, answer.text
    seen = (await api.get(f"/desk/cases/{answer.json()['id']}", headers=clerk)).json()
    [finding] = seen["findings"]
    assert finding["code"] == "classification", finding
    assert (finding["detail"]["outside"], finding["detail"]["atBest"]) == (outside, rank), finding
