"""Our reader against cbor2: what we accept, cbor2 reads the same and writes back as the same bytes."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.codes import cbor
from haiyiban.codes.cbor import MalformedCode

scalars = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.booleans(), st.binary(max_size=40), st.text(max_size=20)
)
keys = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=8))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def same(left: Any, right: Any) -> bool:
    """Equal, and of equal types: 1 == True to Python, never to a verifier."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    data = cbor.encode(value)
    if len(data) > cbor.MAX_BYTES or depth(value) > cbor.MAX_DEPTH:
        with pytest.raises(MalformedCode):
            cbor.decode(data)
        return
    assert cbor.encode(cbor.decode(data)) == data
    assert same(cbor2.loads(data), cbor.decode(data))


@given(st.binary(max_size=64))
def test_any_bytes_are_read_as_cbor2_reads_them_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedCode:
        return
    assert same(value, cbor2.loads(data))
    assert cbor.encode(value) == data


@given(values, st.data())
def test_a_changed_byte_is_never_another_spelling(value: Any, data: st.DataObject) -> None:
    written = bytearray(cbor.encode(value))
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] ^= data.draw(st.integers(1, 255))
    try:
        read = cbor.decode(bytes(written))
    except MalformedCode:
        return
    assert cbor.encode(read) == written


def test_no_tag_is_read() -> None:
    for number in (*range(2_000), 43_000, 55_799, 2**32, 2**64 - 1):
        with pytest.raises(MalformedCode):
            cbor.decode(cbor2.dumps(cbor2.CBORTag(number, 1)))


@pytest.mark.parametrize("number", [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53, 2**64 - 1])
def test_numbers_at_the_edges_of_their_widths_are_read(number: int) -> None:
    assert cbor.decode(cbor2.dumps(number)) == number
    assert cbor.decode(cbor2.dumps(-1 - number)) == -1 - number


@pytest.mark.parametrize(
    "written", ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "5803414243", "9800"]
)
def test_a_head_longer_than_it_need_be_is_refused(written: str) -> None:
    with pytest.raises(MalformedCode):
        cbor.decode(bytes.fromhex(written))


def test_keys_stand_in_the_order_of_their_bytes_and_not_of_their_length() -> None:
    assert cbor.encode({-1: 0, 100: 0, 10: 0}).hex() == "a30a001864002000"


def test_six_levels_are_read_and_seven_are_not() -> None:
    assert cbor.decode(b"\x81" * 5 + b"\x80") == [[[[[[]]]]]]
    with pytest.raises(MalformedCode):
        cbor.decode(b"\x81" * 6 + b"\x80")


def test_one_kilobyte_is_read_and_a_byte_more_is_not() -> None:
    assert cbor.decode(b"\x59\x03\xfd" + bytes(1021)) == bytes(1021)
    with pytest.raises(MalformedCode):
        cbor.decode(b"\x59\x03\xfe" + bytes(1022))
