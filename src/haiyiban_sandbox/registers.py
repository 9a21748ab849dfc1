"""The registers (数据源): one question each, by identity number in the body, never in the address."""

from collections.abc import Callable
from typing import Annotated, NamedTuple
from unicodedata import normalize

from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Meta

from haiyiban_sandbox import facts
from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.facts import Facts
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import RESIDENT, parse_number
from haiyiban_sandbox.people import Document, IdType, Person
from haiyiban_sandbox.portraits import portrait
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read


class Query(Wire):
    """Ask about one person."""

    id_number: str
    id_type: IdType = "111"

    def __post_init__(self) -> None:
        self.id_number = parse_number(self.id_type, self.id_number)


class Queries(Wire):
    """Ask about many people at once."""

    questions: Annotated[list[Query], Meta(min_length=1, max_length=50)]


class Match(Query, kw_only=True):
    """Ask whether name and number belong together (两要素比对)."""

    name: str


class Register(NamedTuple):
    """Who keeps the facts, and how to read them."""

    source: str
    facts_of: Callable[[Store, Person], Facts | None]


REGISTERS = {
    "population": Register("省公安厅人口库", facts.population),
    "household": Register("省公安厅户籍库", facts.household),
    "property": Register("市不动产登记与住房租赁备案库", facts.homes),
    "residence-permit": Register("省公安厅居住证库", facts.residence_permit),
    "social-insurance": Register("省人力资源和社会保障厅参保库", facts.social_insurance),
    "birth": Register("省卫生健康委出生医学证明库", facts.birth),
    "special-group": Register("市教育局优待对象名单", facts.special_group),
    "employment": Register("省人力资源和社会保障厅就业登记库", facts.employment),
    "pension": Register("省社会保险服务中心养老待遇库", facts.pension),
    "deregistration": Register("省公安厅户口注销登记库", facts.deregistration),
    "custody": Register("省司法厅服刑人员库", facts.custody),
    "trips": Register("省进出岛行程库", facts.trips),
    "tests": Register("省卫生健康委检测记录库", facts.tests),
    "vaccinations": Register("省疾病预防控制局接种库", facts.vaccinations),
    "medical-bills": Register("国家医疗保障信息平台跨省异地就医费用库", facts.medical_bills),
    "medical-policy": Register("省医疗保障局待遇库", facts.medical_policy),
    "contacts": Register("省疾病预防控制局流行病学调查库", facts.contacts),
}

EXIT_ENTRY = "国家移民管理局出入境证件库"


@post(
    "/registers/population/match",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "population"},
)
async def match(request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]) -> Facts:
    """Whether name and number belong together; says nothing more about either."""
    asked = await read(request, Match)
    person = store.person(asked.id_number) if asked.id_type == RESIDENT else None
    same = person is not None and normalize("NFC", person.name) == normalize("NFC", asked.name)
    return {"match": same, "source": REGISTERS["population"].source, "asOf": clock.now()}


@post(
    "/registers/exit-entry/match",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "exit_entry"},
)
async def match_document(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> Facts:
    """Whether a name and a document of any kind belong together; where they do, as the document writes the
    name, when its holder was born, until when it is valid, and which further documents the holder has."""
    asked = await read(request, Match)
    person = store.holder(asked.id_number, asked.id_type)
    answer: Facts = {"match": False, "source": EXIT_ENTRY, "asOf": clock.now()}
    if person is None:
        return answer
    all_of_them = [
        Document(person.id_type, person.id_number, person.name, person.valid_until),
        *(person.documents or []),
    ]
    given, others = split(all_of_them, id_type=asked.id_type, id_number=asked.id_number)
    name = given.name or person.name
    if plain(name) != plain(asked.name):
        return answer
    return answer | {
        "match": True,
        "name": name,
        "birthDate": person.born,
        "validUntil": given.valid_until,
        "documents": [{"idType": one.id_type, "idNumber": one.id_number} for one in others],
    }


def split(documents: list[Document], *, id_type: str, id_number: str) -> tuple[Document, list[Document]]:
    """The document that was asked about, and the others."""
    given = next(one for one in documents if (one.id_type, one.id_number) == (id_type, id_number))
    return given, [one for one in documents if one is not given]


def plain(name: str) -> str:
    """A name as it is compared: Latin letters in either size, blanks of any number."""
    return " ".join(normalize("NFC", name).casefold().split())


@post(
    "/registers/population/portrait",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "population"},
)
async def portrait_of(request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]) -> Facts:
    """The portrait (人像) of a person with an identity card, in base64; `found: false` of anybody else."""
    asked = await read(request, Query)
    person = store.person(asked.id_number, asked.id_type)
    source = REGISTERS["population"].source
    if person is None or facts.population(store, person) is None:
        return {"found": False, "source": source, "asOf": clock.now()}
    return {
        "found": True,
        "source": source,
        "asOf": clock.now(),
        "idNumber": person.id_number,
        "mediaType": "image/png",
        "image": portrait(person.id_number),
    }


@post(
    "/registers/exit-entry/portrait",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "exit_entry"},
)
async def portrait_of_visitor(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> Facts:
    """The portrait of the holder of a document other than an identity card; the same face under each."""
    asked = await read(request, Query)
    person = store.holder(asked.id_number, asked.id_type) if asked.id_type != RESIDENT else None
    answer: Facts = {"found": False, "source": EXIT_ENTRY, "asOf": clock.now()}
    if person is None:
        return answer
    return answer | {
        "found": True,
        "idNumber": asked.id_number,
        "mediaType": "image/png",
        "image": portrait(person.id_number),
    }


@post("/registers/{register:str}/query", status_code=200, guards=[needs_key], before_request=answer_badly)
async def query(
    register: FromPath[str],
    request: Asked,
    store: NamedDependency[Store],
    clock: NamedDependency[Clock],
) -> Facts:
    """What one register knows about one person; what is not registered is `found: false`, not an error."""
    return _known(_register(register), await read(request, Query), store, clock)


@post("/registers/{register:str}/queries", status_code=200, guards=[needs_key], before_request=answer_badly)
async def query_many(
    register: FromPath[str],
    request: Asked,
    store: NamedDependency[Store],
    clock: NamedDependency[Clock],
) -> Facts:
    """The same of at most fifty people, one answer for each in the order of the questions, which says again
    whom it is about."""
    kept = _register(register)
    asked = await read(request, Queries)
    return {
        "answers": [{**_known(kept, one, store, clock), "idNumber": one.id_number} for one in asked.questions]
    }


def _register(name: str) -> Register:
    if name not in REGISTERS:
        raise NotFoundException("no such register")
    return REGISTERS[name]


def _known(register: Register, asked: Query, store: Store, clock: Clock) -> Facts:
    person = store.holder(asked.id_number, asked.id_type)
    found = register.facts_of(store, person) if person else None
    return {"found": found is not None, "source": register.source, "asOf": clock.now(), **(found or {})}
