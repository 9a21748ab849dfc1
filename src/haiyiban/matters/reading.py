"""Reading the matter files (事项文件): each by the rules that every file must pass.

One broken file refuses the whole catalogue with all findings of all files: half a catalogue would hide a
matter from people without anybody noticing.

Source: docs/domain.md §3.3–3.5; docs/add-a-matter.md.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from haiyiban import divisions, texts
from haiyiban.certificates import types as certificate_types
from haiyiban.errors import Words
from haiyiban.forms import FormSchema, MalformedJson, UnknownForm, parse_json
from haiyiban.matters.matter import Matter
from haiyiban.matters.quality import Finding, findings

SYNONYMS = "synonyms.json"
"""Beside the matters, and none."""
_FILE = re.compile(r"(?P<code>[a-z0-9.-]+)\.v(?P<version>[0-9]+)\.json", re.ASCII)


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


def read(folder: Path, further: Path | None = None) -> Iterator[Matter]:
    """The matters of `folder` (`schemas/matters`) and of a further one beside it, one held at a time.

    Raises BrokenCatalogue after the last, with all that is wrong in all files.
    """
    wrong: dict[str, list[Finding]] = {}
    files = [*folder.glob("*.json"), *(further.glob("*.json") if further else ())]
    for file in sorted(files, key=lambda file: file.name):
        if file.name == SYNONYMS:
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
        yield matter
    if wrong:
        raise BrokenCatalogue(wrong)


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
