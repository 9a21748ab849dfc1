"""Whom we ask, under which name, and what to call them before people."""

from typing import Literal, NamedTuple

from haiyiban.errors import Words
from haiyiban.registers import records
from haiyiban.registers.records import Record

RegisterName = Literal[
    "population",
    "household",
    "property",
    "residence_permit",
    "social_insurance",
    "birth",
    "special_group",
    "employment",
    "pension",
    "deregistration",
    "custody",
    "trips",
    "tests",
    "vaccinations",
    "contacts",
    "medical_bills",
    "medical_policy",
    "market_entity",
]


class Register(NamedTuple):
    """One register: its name for people, and the shape of what it says."""

    title: Words
    record: type[Record]
    is_asked_by_any_document: bool = False
    """Whether it keeps visitors too, under their passports and passes; else it has nothing about them."""
    is_of_enterprises: bool = False
    """Whether it keeps enterprises, under their credit codes, and nobody else."""


REGISTERS: dict[RegisterName, Register] = {
    "population": Register(Words("公安人口库", "The population register"), records.Population),
    "household": Register(Words("公安户籍库", "The household register"), records.Household),
    "property": Register(Words("不动产和租赁备案库", "The property and lease register"), records.Property),
    "residence_permit": Register(Words("居住证库", "The residence permit register"), records.ResidencePermit),
    "social_insurance": Register(
        Words("社会保险参保库", "The social insurance register"), records.SocialInsurance
    ),
    "birth": Register(Words("出生医学证明库", "The birth register"), records.Birth),
    "special_group": Register(Words("优待对象名单", "The list of privileged groups"), records.SpecialGroup),
    "employment": Register(Words("就业登记库", "The employment register"), records.Employment),
    "pension": Register(Words("养老待遇库", "The register of pensions"), records.Pension),
    "deregistration": Register(
        Words("户口注销登记库", "The register of people struck off"), records.Deregistration
    ),
    "custody": Register(Words("服刑人员库", "The register of prisoners"), records.Custody),
    "trips": Register(Words("进出岛行程库", "The register of trips"), records.Trips, True),
    "tests": Register(Words("检测记录库", "The register of tests"), records.Tests, True),
    "vaccinations": Register(Words("接种库", "The vaccination register"), records.Vaccinations, True),
    "contacts": Register(Words("流行病学调查库", "The register of contact tracing"), records.Contacts, True),
    "medical_bills": Register(
        Words("医保跨省费用库", "The register of medical bills of other provinces"), records.MedicalBills
    ),
    "medical_policy": Register(
        Words("医保待遇库", "The register of medical insurance"), records.MedicalPolicy
    ),
    "market_entity": Register(
        Words("市场主体登记库", "The market-entity register"),
        records.MarketEntity,
        is_of_enterprises=True,
    ),
}

WECHAT = Words("微信登录服务", "WeChat's sign-in")
EXIT_ENTRY = Words("出入境证件库", "The exit-entry register")
BANK = Words("代发银行", "The bank that pays out")
INSURANCE_TRANSFERS = Words("社会保险关系转移平台", "The platform that moves insurance records")
CARRIER = Words("快递物流", "The carrier")
FACE = Words("实人核验服务", "The face-check service")
