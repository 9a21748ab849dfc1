"""Families of 秀英区 (460105), one and more for each priority class of school places.

Source: docs/domain.md §6.2 (the classes).
"""

from datetime import date, timedelta

from haiyiban_sandbox.cohort import cohort
from haiyiban_sandbox.family import Family, child, home, hukou_at
from haiyiban_sandbox.people import Hukou, ResidencePermit, SocialInsurance


def families_by_class(today: date) -> list[Family]:
    """Grandparents stand before parents; the first family is the ordinary one of the tutorial."""
    year = cohort(today)
    permit = ResidencePermit(
        since=today - timedelta(days=3 * 365), until=today + timedelta(days=300), division="460105"
    )
    ordinary = home("椰风", "3-502", since=date(2017, 4, 18))
    ordinary_children = (child("林小椰", year.day(45), sequence=12),)
    soldier = home("观澜", "1-203", since=date(2018, 9, 3))
    elders = home("椰风", "6-101", since=date(2003, 6, 12))
    elders_hukou = hukou_at(elders, since=date(2003, 8, 1))
    near = home("秀港", "2-704", since=date(2021, 3, 9))
    leased = home("晴川", "5-1102", title="registered_lease", since=date(2022, 2, 15))
    public_rental = home("晴川", "8-306", title="public_rental", since=date(2021, 11, 1))
    newcomer = home("白榕", "4-901", since=date(2022, 7, 20))
    migrant = home("听潮", "7-402", title="registered_lease", since=date(2023, 5, 6))
    dormitory = home("听潮", "9-118", title="collective", share=0, since=date(2024, 3, 1))
    return [
        Family(
            name="林示例",
            number=1,
            born=date(1990, 5, 12),
            hukou=hukou_at(ordinary, since=date(2017, 5, 8)),
            home=ordinary,
            children=ordinary_children,
            social_insurance=SocialInsurance(months=96, division="460100"),
            about="第1类：片区户籍、自有住房、人户一致 · class 1: hukou and own home in the catchment",
        ),
        Family(
            name="苏范例",
            number=2,
            born=date(1991, 8, 16),
            hukou=hukou_at(ordinary, since=date(2017, 5, 8)),
            home=ordinary,
            children=ordinary_children,
        ),
        Family(
            name="陈样例",
            number=3,
            born=date(1988, 2, 29),
            hukou=hukou_at(soldier, since=date(2018, 10, 10)),
            home=soldier,
            children=(child("陈小榕", year.day(80), sequence=23),),
            special_group="军人",
            about="第0类：优待对象 · class 0: on the list of privileged groups",
        ),
        Family(
            name="王长辈",
            number=5,
            born=date(1956, 11, 2),
            hukou=elders_hukou,
            home=elders,
            children=(child("王演示", date(1992, 1, 20), sequence=7),),
        ),
        Family(
            name="王演示",
            number=7,
            born=date(1992, 1, 20),
            hukou=elders_hukou,
            home=home("椰风", "6-101", title="grandparents", share=0, since=date(2003, 6, 12)),
            children=(child("王小棕", year.day(120), sequence=31),),
            about="第2类：与祖辈同户同住、无自有住房 · class 2: lives in the grandparents' home, one booklet",
        ),
        Family(
            name="符假名",
            number=8,
            born=date(1989, 6, 30),
            area="460106",
            hukou=Hukou(
                address="海南省海口市龙华区金贸街道样板里1栋101室",
                division="460106003",
                since=date(2012, 9, 1),
            ),
            home=near,
            children=(child("符小港", year.day(150), sequence=42, area="460106"),),
            about="第2类：海口其他片区户籍、片区内自有住房 · class 2: city hukou elsewhere, own home here",
        ),
        Family(
            name="吴虚构",
            number=9,
            born=date(1987, 12, 12),
            area="460107",
            hukou=Hukou(
                address="海南省海口市琼山区府城街道假想路2号", division="460107002", since=date(2009, 7, 1)
            ),
            home=leased,
            children=(child("吴小晴", year.day(175), sequence=54, area="460107"),),
            about="第3类：海口户籍、备案租房满24个月 · class 3: city hukou, lease registered over 24 months",
        ),
        Family(
            name="杨设例",
            number=10,
            born=date(1993, 4, 4),
            hukou=Hukou(
                address="海南省海口市秀英区石山镇假想村3号", division="460105103", since=date(1993, 5, 4)
            ),
            home=public_rental,
            children=(child("杨小川", year.day(200), sequence=63),),
            about="第3类：海口户籍、公租房 · class 3: city hukou, public rental home",
        ),
        Family(
            name="黎试用",
            number=11,
            born=date(1986, 10, 9),
            area="430104",
            hukou=Hukou(
                address="湖南省长沙市岳麓区示范街道演示路8号", division="430104", since=date(2010, 1, 15)
            ),
            home=newcomer,
            children=(child("黎小白", year.day(230), sequence=74, area="430104"),),
            residence_permit=permit,
            about="第4类：外地户籍、片区内自有住房、居住证 · class 4: outside hukou, own home and permit",
        ),
        Family(
            name="周设想",
            number=12,
            born=date(1990, 9, 25),
            area="511304",
            hukou=Hukou(address="四川省南充市嘉陵区样例镇5组", division="511304", since=date(1990, 10, 1)),
            home=migrant,
            children=(child("周小潮", year.day(260), sequence=85, area="511304"),),
            residence_permit=permit,
            social_insurance=SocialInsurance(months=30, division="460100"),
            about="第5类：随迁子女，居住证、社保、租房 · class 5: migrant with permit, insurance, lease",
        ),
        Family(
            name="郑模拟",
            number=14,
            born=date(1994, 5, 17),
            area="420102",
            hukou=Hukou(address="湖北省武汉市江岸区示例街道6号", division="420102", since=date(1994, 6, 1)),
            home=dormitory,
            children=(child("郑小帆", year.day(290), sequence=96, area="420102"),),
            about="第6类：其他，统筹安排 · class 6: none of the classes, placed by coordination",
        ),
    ]
