"""The certificate that documents are signed with: for a key of ours, not about to end, with stamps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from haiyiban import clock
from haiyiban.certificates import DocumentsNotSigned, signer
from haiyiban.crypto import KeyMissing
from haiyiban.errors import Words
from haiyiban.runtime.doctor.findings import Finding, fault, fine, warning
from haiyiban.settings import Settings

SUBJECT = Words("证照文件签名", "Signed documents")
RENEW_BEFORE = timedelta(days=60)
"""An authority takes its time to issue the next one."""
_CRL_RENEW_BEFORE = timedelta(days=7)
_RENEW = Words(
    "请运行 haiyiban certificate request --new-key，向证书机构申请新证书（docs/documents.md）。",
    "Run haiyiban certificate request --new-key and have a new one issued (docs/documents.md).",
)


def signing(settings: Settings) -> Iterator[Finding]:
    """Whether documents can be signed today, for how long, and whether they are stamped."""
    now = clock.now()
    try:
        found = signer.read_signer(settings.keys_dir)
        found.require_valid(now)
    except (DocumentsNotSigned, KeyMissing):
        yield fault(
            SUBJECT,
            Words(
                "没有今天可用的签名证书，证照文件无法下载",
                "no certificate counts today: no document is given",
            ),
            Words(
                f"请把证书放到 {settings.keys_dir / signer.CHAIN_FILE}（docs/documents.md）。",
                f"Put the certificate into {settings.keys_dir / signer.CHAIN_FILE} (docs/documents.md).",
            ),
        )
        return
    is_well = True
    left = found.certificate.not_valid_after - now
    if left < RENEW_BEFORE:
        is_well = False
        yield warning(
            SUBJECT,
            Words(f"签名证书还有 {left.days} 天到期", f"the certificate ends in {left.days} days"),
            _RENEW,
        )
    for crl in found.crls:
        until = crl["tbs_cert_list"]["next_update"].native
        if until is not None and until - now < _CRL_RENEW_BEFORE:
            is_well = False
            yield warning(
                SUBJECT,
                Words(
                    "吊销列表已过期或即将过期，新文件将缺少长期核验依据", "the revocation list is out of date"
                ),
                Words(
                    f"请更新 {settings.keys_dir / signer.CRL_FILE}。",
                    f"Renew {settings.keys_dir / signer.CRL_FILE}.",
                ),
            )
    if not settings.timestamp_url:
        is_well = False
        yield warning(
            SUBJECT,
            Words(
                "没有时间戳，签名证书到期后文件无法核对", "without stamps: no document outlives its signer"
            ),
            Words("请设置 HAIYIBAN_TIMESTAMP_URL。", "Set HAIYIBAN_TIMESTAMP_URL."),
        )
    if is_well:
        yield fine(SUBJECT, Words(f"证书还有 {left.days} 天", f"the certificate counts for {left.days} days"))
