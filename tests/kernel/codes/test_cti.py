import secrets
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.codes.cti import CtiCipher, new_code_id

NOW = datetime(2026, 9, 1, 8, 0, 0, 123_000, tzinfo=UTC)
CIPHER = CtiCipher(bytes(range(16)))


@given(
    st.integers(0, 255),
    st.integers(0, 2**40 - 1),
    st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
)
def test_the_server_reads_the_subject_out_of_a_cti(kind: int, ref: int, now: datetime) -> None:
    code_id = new_code_id(kind, ref, now=now)
    opened = CIPHER.open(CIPHER.seal(code_id))
    assert opened is not None
    assert (opened.id, opened.kind, opened.ref) == (code_id, kind, ref)
    assert timedelta() <= now - opened.made_at < timedelta(milliseconds=1)


def test_the_id_of_a_code_is_a_uuid_of_version_7() -> None:
    for kind, ref in ((0, 0), (255, 2**40 - 1), (5, 123_456_789)):
        code_id = new_code_id(kind, ref, now=NOW)
        assert (code_id.version, code_id.variant) == (7, RFC_4122)
        assert code_id.int >> 80 == int(NOW.timestamp() * 1000)


def test_codes_of_one_subject_in_one_millisecond_all_differ() -> None:
    # 26 random bits: of two thousand in one millisecond two are alike in three runs of a hundred.
    made = {CIPHER.seal(new_code_id(1, 42, now=NOW)) for _ in range(40)}
    assert len(made) == 40


def test_codes_sort_by_the_time_they_were_made() -> None:
    ids = [new_code_id(1, 42, now=NOW + timedelta(milliseconds=step)) for step in range(50)]
    assert ids == sorted(ids)


def test_a_cti_shows_nothing_of_its_subject() -> None:
    one, other = (CIPHER.seal(new_code_id(1, 42, now=NOW)) for _ in range(2))
    assert sum(left == right for left, right in zip(one, other, strict=True)) <= 5


def test_a_cti_under_another_key_is_mostly_recognised_as_foreign() -> None:
    other = CtiCipher(bytes(16))
    foreign = [CIPHER.open(other.seal(new_code_id(1, 42, now=NOW))) for _ in range(1_000)]
    # Version and variant are 6 bits: one in 64 foreign ids passes for ours by chance.
    assert foreign.count(None) / len(foreign) > 0.94


@pytest.mark.parametrize("cti", [b"", bytes(15), bytes(17)])
def test_a_cti_of_the_wrong_length_is_nobodys(cti: bytes) -> None:
    assert CIPHER.open(cti) is None


@given(st.binary(min_size=16, max_size=16))
def test_any_16_bytes_are_a_code_of_ours_or_none(cti: bytes) -> None:
    opened = CIPHER.open(cti)
    assert opened is None or CIPHER.seal(opened.id) == cti


def test_a_time_beyond_the_calendar_is_nobodys() -> None:
    late = UUID(int=(2**48 - 1) << 80 | 7 << 76 | 2 << 62)
    assert CIPHER.open(CIPHER.seal(late)) is None


@pytest.mark.parametrize(("kind", "ref"), [(256, 1), (-1, 1), (1, 2**40), (1, -1)])
def test_what_does_not_fit_is_refused(kind: int, ref: int) -> None:
    with pytest.raises(ValueError, match="bits"):
        new_code_id(kind, ref, now=NOW)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        CtiCipher(secrets.token_bytes(32))
