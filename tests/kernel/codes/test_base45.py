import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.codes import base45


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"", ""),
    ],
)
def test_the_examples_of_rfc_9285(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.parametrize(
    "text", ["GGW", "ZZZ", ":::", "::", "U6", "A", "AAAA", "ab0", "BB8\n", "BB8 ", "é00", "\ud800"]
)
def test_a_text_that_no_bytes_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Base45|ascii"):
        base45.decode(text)


def test_the_greatest_groups_are_read() -> None:
    assert base45.decode("FGW") == b"\xff\xff"
    assert base45.decode("U5") == b"\xff"


def test_every_pair_of_bytes_is_written_as_the_rfc_reckons_it() -> None:
    written = base45.encode(b"".join(number.to_bytes(2) for number in range(1 << 16)))
    digits = [written[at : at + 3] for at in range(0, len(written), 3)]
    alphabet = base45.ALPHABET.decode()
    assert digits == [
        alphabet[number % 45] + alphabet[number // 45 % 45] + alphabet[number // 2025]
        for number in range(1 << 16)
    ]


@given(st.binary(max_size=700))
def test_bytes_come_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(st.text(alphabet=base45.ALPHABET.decode(), max_size=60))
def test_a_text_that_is_read_is_the_only_one_for_its_bytes(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text
