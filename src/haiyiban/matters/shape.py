"""The JSON Schema of a matter file, for editors and for people who write one.

`schemas/meta/matter.v1.schema.json` is what this writes; a test keeps the two in step. After a change of
`matter.py`:

    python -m haiyiban.matters.shape > schemas/meta/matter.v1.schema.json
"""

import json
import sys
from typing import Any

import msgspec

from haiyiban.matters.matter import Matter


def matter_schema() -> str:
    """The schema as a text, ready to be written to its file."""
    (outer,), parts = msgspec.json.schema_components([Matter], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Matter file (事项文件)",
        **outer,
        "$defs": parts,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(matter_schema())
