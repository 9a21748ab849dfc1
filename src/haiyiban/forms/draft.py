"""What must hold of a form while it is still being filled in: the types and the upper bounds, nothing else.

A draft is saved as it is typed, so half an identity number is no fault yet. Derived from the form itself,
so that the two cannot differ.
"""

from typing import Any, Final

_KEPT: Final = frozenset({"type", "additionalProperties", "maxItems", "maxLength", "$ref"})


def draft_of(schema: Any) -> Any:
    """The draft's schema of a form's schema."""
    if not isinstance(schema, dict):
        return schema
    draft = {keyword: value for keyword, value in schema.items() if keyword in _KEPT}
    for keyword in ("properties", "$defs"):
        if keyword in schema:
            draft[keyword] = {name: draft_of(inner) for name, inner in schema[keyword].items()}
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            draft[keyword] = draft_of(schema[keyword])
    return draft
