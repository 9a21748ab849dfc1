"""What certificates tell Prometheus: until when documents can be signed."""

from haiyiban import clock
from haiyiban.certificates import signer
from haiyiban.certificates.signer import DocumentsNotSigned
from haiyiban.crypto import KeyMissing
from haiyiban.errors import Words
from haiyiban.metrics import Gauge, Rows


def _remaining() -> Rows:
    now = clock.now()
    try:
        found = signer.document_signer(now)
    except (DocumentsNotSigned, KeyMissing):
        return [(0.0,)]
    return [((found.certificate.not_valid_after - now).total_seconds(),)]


SIGNING_REMAINING = Gauge(
    name="haiyiban_certificates_signing_remaining_seconds",
    what=Words(
        "文件签名证书还有多少秒到期", "Until the certificate that signs documents ends; 0 without one"
    ),
    read=_remaining,
)
