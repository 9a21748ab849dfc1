"""The catalogue (事项库): every matter file, read and checked when the process starts, then only read.

One broken file refuses the whole catalogue with all findings of all files: half a catalogue would hide a
matter from people without anybody noticing.

Source: docs/domain.md §3.3–3.5; docs/add-a-matter.md.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Self

import msgspec

from haiyiban import divisions, resources, texts
from haiyiban.certificates import types as certificate_types
from haiyiban.errors import NotFound, Words
from haiyiban.forms import FormSchema, MalformedJson, UnknownForm, parse_json
from haiyiban.matters.matter import Matter
from haiyiban.matters.quality import Finding, findings
from haiyiban.matters.search import Entry, SearchIndex
from haiyiban.matters.words import EverydayWords

_FILE = re.compile(r"(?P<code>[a-z0-9.-]+)\.v(?P<version>[0-9]+)\.json", re.ASCII)


class MatterUnknown(NotFound):
    """No such matter is offered."""

    type = "matters/matter-unknown"
    title = Words("没有这个事项，请换个说法搜索", "There is no such matter; try other words")


class BrokenCatalogue(Exception):
    """Matter files that may not be published; `findings` holds, by file name, everything that is wrong with
    them."""

    def __init__(self, by_file: dict[str, list[Finding]]) -> None:
        self.findings = by_file
        lines = [
            f"{name}: {finding.rule} {finding.pointer or '/'}: {finding.words.zh} ({finding.words.en})"
            for name, found in by_file.items()
            for finding in found
        ]
        super().__init__("the catalogue is refused:\n" + "\n".join(lines))


class Catalogue:
    """All published versions of all matters."""

    def __init__(self, matters: Iterable[Matter], everyday: EverydayWords = EverydayWords()) -> None:  # noqa: B008 - frozen
        self._versions = {(matter.code, matter.version): matter for matter in matters}
        self._current = {code: self._versions[code, version] for code, version in sorted(self._versions)}
        self.everyday = everyday

    @classmethod
    def load(cls, folder: Path, further: Path | None = None) -> Self:
        """Read `folder` (`schemas/matters`), and a further one beside it.

        Raises BrokenCatalogue with all that is wrong in all files.
        """
        matters: list[Matter] = []
        wrong: dict[str, list[Finding]] = {}
        files = [*folder.glob("*.json"), *(further.glob("*.json") if further else ())]
        for file in sorted(files, key=lambda file: file.name):
            if file.name == "synonyms.json":
                continue
            try:
                matter = msgspec.convert(parse_json(file.read_bytes()), Matter)
            except MalformedJson as error:
                wrong[file.name] = [Finding("json", "", error.detail or error.title)]
                continue
            except msgspec.ValidationError as error:
                wrong[file.name] = [Finding("shape", "", Words("文件不符合事项文件的格式", str(error)))]
                continue
            if found := [*file_findings(file.name, matter), *findings(matter)]:
                wrong[file.name] = found
            matters.append(matter)
        if wrong:
            raise BrokenCatalogue(wrong)
        return cls(matters, EverydayWords.load(folder / "synonyms.json"))

    def get(self, code: str) -> Matter:
        """The newest version. Raises MatterUnknown."""
        try:
            return self._current[code]
        except KeyError:
            raise MatterUnknown() from None

    def version(self, code: str, version: int) -> Matter:
        """The version a case was opened under. Raises MatterUnknown."""
        try:
            return self._versions[code, version]
        except KeyError:
            raise MatterUnknown() from None

    def versions(self) -> list[Matter]:
        """Every version of every matter, in order of code, the newest first."""
        return [self._versions[at] for at in sorted(self._versions, key=lambda at: (at[0], -at[1]))]

    def search(
        self,
        query: str = "",
        *,
        zone: str | None = None,
        audience: str | None = None,
        division: str | None = None,
    ) -> list[Matter]:
        """Newest versions that match, best first; an empty query lists all in order of code.

        `division` keeps what its people find: offered there, in what holds it, or somewhere inside it. An
        unknown one finds nothing.
        """
        reach = None if division is None else _reach(divisions.canonical(division))

        def allowed(code: str) -> bool:
            matter = self._current[code]
            return (
                (zone is None or matter.zone == zone)
                and (audience is None or matter.audience == audience)
                and (reach is None or not reach.isdisjoint(matter.divisions))
            )

        if not query.strip():
            return [matter for code, matter in self._current.items() if allowed(code)]
        narrowed = (zone, audience, division) != (None, None, None)
        found = self._index.find(query, allowed=allowed if narrowed else None)
        return [self._current[code] for code in found]

    def issuing(self, certificate: str) -> Matter | None:
        """The matter by which people get a certificate of a type; the first by code, none where none does."""
        return next((each for each in self._current.values() if each.issues == certificate), None)

    def make_ready(self) -> None:
        """Build what searches need now, for the first one would keep everybody else waiting for it."""
        _ = self._index

    @cached_property
    def _index(self) -> SearchIndex:
        return SearchIndex(map(_entry, self._current.values()), self.everyday)


@cache
def _reach(division: str) -> frozenset[str]:
    """A division with all above and below it."""
    if divisions.find(division) is None:
        return frozenset()
    return divisions.subtree(division).union(above.code for above in divisions.ancestors(division))


def _entry(matter: Matter) -> Entry:
    keywords = tuple((keyword, 2.5) for keyword in matter.keywords)
    other = (
        (matter.item.task_name, 2.0),
        (matter.item.result_name, 1.0),
        (matter.summary.zh, 1.0),
        (matter.summary.en, 1.0),
    )
    return Entry(matter.code, (matter.name.zh, matter.name.en), keywords + other)


def file_findings(file_name: str, matter: Matter) -> Iterator[Finding]:
    """What holds between a matter file, its name and its form."""
    named = _FILE.fullmatch(file_name)
    if not named or (named["code"], named["version"]) != (matter.code, str(matter.version)):
        yield Finding(
            "file", "/code", Words("文件名应为“代码.v版本.json”", "the file is named <code>.v<version>.json")
        )
    if not matter.handled_by.division_from and matter.handled_by.otherwise is None:
        yield Finding(
            "handler", "/handledBy", Words("没有写明由哪个区划办理", "no division is named to handle it")
        )
    for index, code in enumerate(matter.divisions):
        if divisions.find(code) is None or divisions.canonical(code) != code:
            yield Finding(
                "division", f"/divisions/{index}", Words("没有这个行政区划", "no such division today")
            )
    try:
        form = FormSchema.load(matter.form)
    except UnknownForm:
        yield Finding("form", "/form", Words("没有这个表单", "no such form is published"))
        return
    for index, at in enumerate(matter.handled_by.division_from):
        if not _knows(form, at):
            yield Finding(
                "form",
                f"/handledBy/divisionFrom/{index}",
                Words("表单没有这一项", "the form has no such field"),
            )
    for index, rule in enumerate(matter.prefill):
        if not _knows(form, rule.pointer):
            yield Finding(
                "form", f"/prefill/{index}/pointer", Words("表单没有这一项", "the form has no such field")
            )
    if matter.renewal is not None and not form.knows(matter.renewal.expires):
        yield Finding("form", "/renewal/expires", Words("表单没有这一项", "the form has no such field"))
    for at, accepted in form.certificate_fields().items():
        for type_ in accepted:
            if not _is_published(type_):
                yield Finding(
                    "certificate",
                    "/form",
                    Words(
                        f"表单 {at} 所接受的证照不存在：{type_}",
                        f"{at} of the form accepts no such type: {type_}",
                    ),
                )
    yield from _commitment_findings(matter)
    yield from _certificate_findings(matter, form)


@lru_cache(maxsize=10_000)
def _knows(form: FormSchema, at: str) -> bool:
    """Asked once: thousands of matters of a province have a form in common, and it never changes."""
    return form.knows(at)


def _is_published(type_: str) -> bool:
    try:
        certificate_types.current(type_)
    except certificate_types.UnknownCertificateType:
        return False
    return True


def _commitment_findings(matter: Matter) -> Iterator[Finding]:
    """The text that is committed to must be there to be read."""
    if matter.commitment is None:
        return
    try:
        texts.current(matter.commitment)
    except texts.TextUnknown:
        yield Finding("commitment", "/commitment", Words("没有这份承诺书", "no such text is published"))


def _certificate_findings(matter: Matter, form: FormSchema) -> Iterator[Finding]:
    """What holds between a matter, its form and the certificate that an approval issues."""
    for name, at in matter.claims.items():
        if not _knows(form, at):
            yield Finding("form", f"/claims/{name}", Words("表单没有这一项", "the form has no such field"))
    if matter.issues is None:
        return
    try:
        claims = certificate_types.current(matter.issues).document
    except certificate_types.UnknownCertificateType:
        yield Finding("certificate", "/issues", Words("没有这种证照", "no such certificate is published"))
        return
    for name in matter.claims:
        if name not in claims["properties"]:
            yield Finding(
                "certificate",
                f"/claims/{name}",
                Words("证照没有这一项", "the certificate states no such thing"),
            )
    for name in claims["required"]:
        # Where a publication decides, code of the zone issues the certificate and knows what it states.
        if matter.decided_by == "clerk" and name not in matter.claims:
            yield Finding(
                "certificate", "/claims", Words(f"缺少证照内容“{name}”", f"the certificate needs {name}")
            )


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process. Raises BrokenCatalogue when it is first asked for, which is
    before the process is ready (runtime/app.py)."""
    own = resources.own("matters") or resources.schemas() / "matters"
    return Catalogue.load(own, resources.further_matters())
