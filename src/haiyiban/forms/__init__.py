"""Forms: what people fill in, described by JSON Schema, checked in plain words, changed by merge patches,
read strictly."""

from haiyiban.forms.limits import LIMITS, Limits, check_limits
from haiyiban.forms.patch import merge_patch
from haiyiban.forms.pointers import (
    MISSING,
    Json,
    changed_pointers,
    get,
    leaves,
    overlapping,
    parts_of,
    pointer,
    put,
)
from haiyiban.forms.schema import FormSchema, UnknownForm
from haiyiban.forms.strict import MAX_DEPTH, MAX_INT, MalformedJson, parse_json

__all__ = [
    "LIMITS",
    "MAX_DEPTH",
    "MAX_INT",
    "MISSING",
    "FormSchema",
    "Json",
    "Limits",
    "MalformedJson",
    "UnknownForm",
    "changed_pointers",
    "check_limits",
    "get",
    "leaves",
    "merge_patch",
    "overlapping",
    "parse_json",
    "parts_of",
    "pointer",
    "put",
]
