"""Changing a form by a merge patch: what the patch names is replaced, `null` takes away, arrays are
replaced whole.

Source: RFC 7396.
"""

from haiyiban.forms.pointers import Json


def merge_patch(target: Json, patch: Json) -> Json:
    """The target after the patch; neither of the two is altered."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
