"""Personal values in a table: sealed with the row that they stand in, opened where they are read."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import msgspec

from haiyiban.crypto import vault


class Sealed:
    """A personal text kept encrypted in the column `<name>_sealed` of the same row.

    class Person(Base):
        name_sealed: Mapped[bytes]
        name = Sealed()

    The row's id must be set before the value, because the ciphertext is bound to it.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._column = f"{name}_sealed"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self._column)
        return None if sealed is None else self._decode(vault().open(sealed, where=self._where(row)))

    def __set__(self, row: Any, value: Any) -> None:
        sealed = None if value is None else vault().seal(self._encode(value), where=self._where(row))
        setattr(row, self._column, sealed)

    def opened(self, sealed: bytes, row_id: UUID) -> Any:
        """The value of a column that was read without its object, as hot paths read."""
        where = place(self._owner.__tablename__, self._column, row_id)
        return self._decode(vault().open(sealed, where=where))

    def _where(self, row: Any) -> str:
        return place(row.__tablename__, self._column, row.id)

    def _encode(self, value: Any) -> bytes:
        return str(value).encode()

    def _decode(self, plain: bytes) -> Any:
        return plain.decode()


class SealedJson(Sealed):
    """A JSON document kept encrypted in `<name>_sealed`; assign it whole, changes inside are not seen."""

    _decoder: ClassVar[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()

    def _encode(self, value: Any) -> bytes:
        return msgspec.json.encode(value)

    def _decode(self, plain: bytes) -> Any:
        return self._decoder.decode(plain)


def place(table: str, column: str, row: UUID | str | None) -> str:
    """What a ciphertext is bound to; the row by its id, or by the id as text."""
    if row is None:
        raise ValueError(f"{table}.{column}: give the row its id before its sealed values")
    return f"{table}|{column}|{row}"
