"""Families on the edges of the rules of school places, and people for the other services.

Source: docs/domain.md §6.1-6.2 (twins, 一户一生, age), §7 (unemployment).
"""

from datetime import date, timedelta

from haiyiban_sandbox.cohort import cohort
from haiyiban_sandbox.family import Family, child, flight, home, hukou_at
from haiyiban_sandbox.people import Filing, Hukou, MedicalBill, MedicalPolicy, SocialInsurance


def special_families(today: date) -> list[Family]:
    """Twins, a used home, siblings, rare names, the last and the first day of the cohort."""
    year = cohort(today)
    twins_home = home("木棉", "2-1503", since=date(2016, 12, 5))
    used = home("椰风", "9-301", share=50, since=date(2014, 8, 8))
    siblings_home = home("角梅", "3-602", since=date(2015, 10, 20))
    rare = home("椰风", "12-802", since=date(2019, 6, 3))
    long_name = home("观澜", "5-1001", since=date(2018, 1, 9))
    return [
        Family(
            name="何成双",
            number=15,
            born=date(1988, 7, 7),
            hukou=hukou_at(twins_home, since=date(2017, 1, 11)),
            home=twins_home,
            children=(
                child("何小木", year.day(95), sequence=101),
                child("何小棉", year.day(95), sequence=102),
            ),
            about="双胞胎，第1类 · twins, class 1",
        ),
        Family(
            name="冯先住",
            number=17,
            born=date(1984, 3, 3),
            hukou=hukou_at(used, since=date(2014, 9, 1)),
            home=used,
            children=(child("冯小先", year.day(-800), sequence=111),),
        ),
        Family(
            name="蔡后来",
            number=18,
            born=date(1991, 2, 14),
            hukou=hukou_at(used, since=date(2020, 9, 9)),
            home=used,
            children=(child("蔡小新", year.day(130), sequence=122),),
            about="一户一生：住房学位已被他人使用 · a used home: another family's child holds its place",
        ),
        Family(
            name="韩多福",
            number=19,
            born=date(1986, 6, 16),
            hukou=hukou_at(siblings_home, since=date(2015, 11, 11)),
            home=siblings_home,
            children=(
                child("韩小大", year.day(-900), sequence=131),
                child("韩小二", year.last, sequence=132),
            ),
            about="两个孩子，小的刚满龄（8月31日）、大的已在校"
            " · two children: the younger born on the last day of the cohort, the elder at school already",
        ),
        Family(
            name="李𠅤",
            number=20,
            born=date(1993, 11, 30),
            hukou=hukou_at(rare, since=date(2019, 7, 1)),
            home=rare,
            children=(child("李小𠅤", year.first, sequence=144),),
            about="生僻字姓名（U+20164）；孩子生于9月1日"
            " · a rare character beyond the BMP; child born on the first day of the cohort",
        ),
        Family(
            name="阿依·示例",
            number=22,
            born=date(1992, 4, 23),
            hukou=hukou_at(long_name, since=date(2018, 3, 1)),
            home=long_name,
            children=(child("古丽·阿依", year.day(320), sequence=154),),
            about="姓名含间隔号，第1类 · a name with ·, class 1",
        ),
    ]


def outside_the_cohort(today: date) -> list[Family]:
    """One day too young, one day too old."""
    year = cohort(today)
    early = home("白榕", "1-504", since=date(2019, 3, 12))
    late = home("秀港", "6-203", since=date(2016, 5, 27))
    return [
        Family(
            name="曾早来",
            number=24,
            born=date(1994, 8, 8),
            hukou=hukou_at(early, since=date(2019, 4, 2)),
            home=early,
            children=(child("曾小早", year.last + timedelta(days=1), sequence=161),),
            about="孩子差一天不满龄 · child one day too young",
        ),
        Family(
            name="许晚到",
            number=25,
            born=date(1985, 9, 19),
            hukou=hukou_at(late, since=date(2016, 7, 4)),
            home=late,
            children=(child("许小晚", year.day(-1), sequence=172),),
            about="孩子超龄一天 · child one day too old",
        ),
    ]


def people_for_other_services(today: date) -> list[Family]:
    """Insured, unemployed, visiting."""
    insured = home("晴川", "3-1205", since=date(2013, 2, 26))
    jobless = home("木棉", "7-806", since=date(2015, 6, 18))
    stopped = today - timedelta(days=40)
    return [
        Family(
            name="梁参保",
            number=27,
            born=date(1983, 1, 5),
            hukou=hukou_at(insured, since=date(2013, 4, 1)),
            home=insured,
            social_insurance=SocialInsurance(months=128, division="460100"),
            employment={"employer": "海口样例科技有限公司", "since": "2016-03-01", "until": None},
            trips=(flight(today - timedelta(days=4), "440300", "460100", number="HU7358"),),
            tests=({"result": "negative", "sampledAt": f"{today - timedelta(days=1)}T18:00:00+08:00"},),
            vaccinations=(
                {"product": "inactivated", "on": "2021-05-10"},
                {"product": "inactivated", "on": "2021-06-07"},
            ),
            about="在职参保128个月，可开参保证明；健康码金边、有行程 · 128 insured months: proof of social"
            " insurance; a health code with a gold edge and an itinerary",
        ),
        Family(
            name="罗待业",
            number=29,
            born=date(1981, 5, 21),
            hukou=hukou_at(jobless, since=date(2015, 8, 1)),
            home=jobless,
            social_insurance=SocialInsurance(
                months=70, division="460105", stopped_on=stopped, stop_reason="contract_expired"
            ),
            employment={
                "employer": "海口虚构贸易有限公司",
                "since": (stopped - timedelta(days=70 * 30)).isoformat(),
                "until": stopped.isoformat(),
            },
            about="失业人员：合同到期，参保70个月 · an unemployed person: contract over, 70 insured months",
        ),
        Family(
            name="云两地",
            number=32,
            born=date(1990, 3, 12),
            hukou=hukou_at(insured, since=date(2021, 4, 1)),
            social_insurance=SocialInsurance(
                months=96, division="440100", stopped_on=today - timedelta(days=900)
            ),
            medical_bills=(
                MedicalBill(
                    number="440100-2026-000318",
                    hospital="广州样例医院",
                    division="440100",
                    place="广东省广州市",
                    kind="inpatient",
                    from_=today - timedelta(days=34),
                    until=today - timedelta(days=25),
                    total_fen=2_000_000,
                    outside_fen=300_000,
                ),
            ),
            medical_policy=MedicalPolicy(
                division="460000",
                place="海南省",
                deductible_fen=100_000,
                ratio_percent=80,
                cap_fen=30_000_000,
                filings=[
                    Filing(kind="long_term", division="440000", since=today - timedelta(days=400)),
                ],
            ),
            about="在广州住院，异地就医结算可查；曾在广州参保96个月，可跨省开广东参保证明"
            " · treated in Guangzhou on Hainan's insurance; Guangdong's proof across provinces",
        ),
        Family(
            name="游自远",
            number=30,
            born=date(1995, 10, 1),
            area="110105",
            division="110105",
            hukou=Hukou(address="北京市朝阳区示范街道样例路9号", division="110105", since=date(1995, 11, 1)),
            trips=(flight(today - timedelta(days=2), "110000", "460100", number="HU7381"),),
            about="旅客：非海南户籍 · a visitor without Hainan hukou",
        ),
    ]
