"""Codes (亮证码): the short-lived, signed QR of a certificate, an identity, a health colour or a voucher.

One envelope serves every kind, so a terminal that reads one reads all. A code verifies offline, works
once, and tells the holder who looked. From the bytes upwards: `base45` and `cbor` (the text), `claims`
(what is said), `envelope` (who signed it), `trust` (whose word counts), `offline` (is it good),
`outcomes` (what to tell people), `counter_code` (the counter's
challenge), `drawing` (the picture), `cti` (what it is about, for the server alone),
`kinds` (what codes can be about: how features and zones add their own), `feature` (all that the platform
runs of it).

Source: schemas/codes/README.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haiyiban.codes.feature import printed_text, zone

__all__ = ["printed_text", "zone"]


def __getattr__(name: str) -> Any:
    # When it is asked for and not before: a terminal on the command line verifies with this package's pure
    # half, and starts in a tenth of the time without the framework and the database.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from haiyiban.codes import feature

    return getattr(feature, name)
