"""Names and homes of people who do not exist."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from haiyiban import divisions
from haiyiban.divisions import Division

_SURNAMES = "陈林王符李黄吴张郑周梁蔡韩邢云何曾羊冯许潘麦钟杨郭谢叶苏庄洪"
_FIRST = "椰棕榕棉荔槟榄檀桐榆梓柚橘莲荷蕉茉菁薇蔓芷兰桂枫松柏竹梅杏桃"
_SECOND = "舟帆潮汐浪屿礁滩沙贝鸥鹭燕鹃雁鲸豚鲤珊瑚岚霞虹霁晴雨云星月溪"


class Home(NamedTuple):
    """Where a household lives."""

    village: int
    """Its place among all villages, in the order of their codes."""
    division: str
    """12 digits."""
    address: str


def surname(draw: int) -> str:
    """What a family is called."""
    return _SURNAMES[draw % len(_SURNAMES)]


def given_name(draw: int) -> str:
    """A tree or flower, and something of the sea or the sky."""
    return _FIRST[draw % len(_FIRST)] + _SECOND[draw // len(_FIRST) % len(_SECOND)]


def home(draw: int) -> Home:
    """A home in a real village, in a road that no village has (示例路)."""
    village = draw % len(villages())
    found, address = _addresses()[village]
    street, house = draw // 4096 % 40 + 1, draw // 200_000 % 300 + 1
    return Home(village, found.code, f"{address}示例{street}路{house}号")


@cache
def villages() -> tuple[Division, ...]:
    """All villages and communities, in the order of their codes."""
    return tuple(
        sorted(
            (
                found
                for code in divisions.subtree(divisions.PROVINCE)
                if (found := divisions.get(code)).level == "village"
            ),
            key=lambda village: village.code,
        )
    )


@cache
def _addresses() -> tuple[tuple[Division, str], ...]:
    """Each village with its whole name, from the province down."""
    return tuple(
        (
            village,
            "".join(above.name for above in reversed(divisions.ancestors(village.code))) + village.name,
        )
        for village in villages()
    )
