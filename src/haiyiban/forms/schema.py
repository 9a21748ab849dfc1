"""A form: the JSON Schema of what a person fills in, and what it says of a filled-in form.

The one document serves the backend (validate, mask) and the web client (render). Beside JSON Schema 2020-12
it may say: `title` and `x-title-en` (what a field is called), `x-message` and `x-message-en` (better words
for a wrong value), `x-unit` (所), `x-certificates` (the types that a field of format `certificate` accepts),
`x-mask` (`name`, `id`, `phone`, `address`: how a value that a register supplied is shown).

Source: docs/add-a-matter.md; architecture.md "Layout" (`schemas/`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Self

import jsonschema_rs

from haiyiban import clock
from haiyiban.errors import FieldError, Words
from haiyiban.forms import words
from haiyiban.forms.draft import draft_of
from haiyiban.forms.fields import FieldMap
from haiyiban.forms.formats import Checker, formats
from haiyiban.forms.limits import check_limits
from haiyiban.forms.pointers import MISSING, Json, get, leaves, parts_of, pointer, put
from haiyiban.masking import mask_address, mask_id_number, mask_mobile, mask_name
from haiyiban.resources import schemas

_ID = re.compile(r"[a-z][a-z0-9-]{0,60}\.v[1-9][0-9]{0,3}", re.ASCII)
_TELLING: Final = ("type", "minLength")
"""Of several faults of one field, the one that says most: the wrong kind of value, then nothing filled in."""

_MASKS: Final = {"name": mask_name, "id": mask_id_number, "phone": mask_mobile, "address": mask_address}


class UnknownForm(LookupError):
    """No form of this id is published."""


class FormSchema:
    """A published form (表单). It never changes: a correction is the next version, under its own id."""

    def __init__(self, identifier: str, document: dict[str, Any], *, checkers: Mapping[str, Checker]) -> None:
        self.id = identifier
        self.document = document
        self._fields = FieldMap(document)
        self._whole = _validator(document, checkers)
        self._draft = _validator(draft_of(document), {})

    @classmethod
    def load(cls, identifier: str) -> Self:
        """The form of an id such as `school-place.v1`. Raises UnknownForm."""
        return cls._read(identifier, schemas() / "forms")

    @classmethod
    @lru_cache(maxsize=1024)
    def _read(cls, identifier: str, folder: Path) -> Self:
        if not _ID.fullmatch(identifier):
            raise UnknownForm(identifier)
        try:
            text = (folder / f"{identifier}.json").read_text("utf-8")
        except FileNotFoundError:
            raise UnknownForm(identifier) from None
        return cls(identifier, json.loads(text), checkers=formats(clock.today))

    def validate(self, form: Json) -> list[FieldError]:
        """Every field that keeps the form from being submitted, in the order of the form; empty when it may
        be."""
        return self._errors(self._whole, form)

    def validate_draft(self, form: Json) -> list[FieldError]:
        """What may not even be kept as a draft: unknown fields, values of another type, texts and lists
        over their bound."""
        return self._errors(self._draft, form)

    def title(self, at: str) -> Words:
        """What the field at a pointer is called."""
        return self._fields.title(parts_of(at))

    def knows(self, at: str) -> bool:
        """Whether the form has a field at the pointer; no where it is no pointer at all."""
        try:
            path = parts_of(at)
        except ValueError:
            return False
        return bool(self._fields.schema(path))

    def certificate_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields in which one of one's certificates is chosen: pointer → types that it accepts."""
        return self._certificates

    @cached_property
    def _certificates(self) -> dict[str, tuple[str, ...]]:
        return dict(self._certificate_fields(()))

    def _certificate_fields(self, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name in self._fields.schema(path).get("properties", {}):
            said = self._fields.schema((*path, name))
            if said.get("format") == "certificate":
                yield pointer(*path, name), tuple(said["x-certificates"])
            yield from self._certificate_fields((*path, name))

    def mask(self, form: dict[str, Json], pointers: Iterable[str]) -> dict[str, Json]:
        """The form with the named fields, and all inside them, covered as their `x-mask` says; others are
        left as they are."""
        covered = form
        for at in pointers:
            value = get(form, at)
            if value is MISSING:
                continue
            for leaf, text in leaves(value, at):  # type: ignore[arg-type]
                masked = _MASKS.get(str(self._fields.schema(parts_of(leaf)).get("x-mask")))
                if masked is not None and isinstance(text, str):
                    covered = put(covered, leaf, masked(text))
        return covered

    def _errors(self, validator: jsonschema_rs.Validator, form: Json) -> list[FieldError]:
        if excess := check_limits(form):
            return excess
        if validator.is_valid(form):
            return []
        found: dict[tuple[str, ...], tuple[int, Words]] = {}
        for error in validator.iter_errors(form):
            for at, keyword, say in self._words_of(error):
                rank = _TELLING.index(keyword) if keyword in _TELLING else len(_TELLING)
                if at not in found or rank < found[at][0]:
                    found[at] = (rank, say)
        return [
            FieldError(pointer(*at), say)
            for at, (_, say) in sorted(found.items(), key=lambda item: self._fields.position(item[0]))
        ]

    def _words_of(self, error: jsonschema_rs.ValidationError) -> Iterable[tuple[tuple[str, ...], str, Words]]:
        at = tuple(str(part) for part in error.instance_path)
        keyword, value = error.kind.name, error.kind.value
        if keyword == "required":
            for needed in self._fields.required_leaves((*at, str(value))):
                yield needed, keyword, words.missing(self._fields.title(needed), self._fields.schema(needed))
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            for name in value:
                yield (*at, str(name)), keyword, words.unknown(str(name))
        else:
            schema = self._fields.schema(at)
            title = self._fields.title(at)
            empty = error.instance == "" and keyword != "type"
            yield (
                at,
                keyword,
                words.missing(title, schema) if empty else words.failed(keyword, value, title, schema),
            )


def _validator(
    document: dict[str, Any], checkers: Mapping[str, Checker]
) -> jsonschema_rs.Draft202012Validator:
    # The plain engine has no backtracking: a pattern cannot be made slow by what people type.
    return jsonschema_rs.Draft202012Validator(
        document,
        formats=dict(checkers),
        validate_formats=True,
        ignore_unknown_formats=False,
        pattern_options=jsonschema_rs.RegexOptions(),
    )
