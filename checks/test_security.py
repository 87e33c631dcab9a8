"""Security: what the runbook's daily, weekly and monthly security chapters promise."""

from opsverify import runbook


@runbook("certificate-expiry")
def test_certificate_expiry(certificate, expect):
    """The certificate is valid now, and stays so long enough to be renewed without haste."""
    valid = f"{certificate.not_before:%Y-%m-%d %H:%M} to {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    expect.that(not certificate.not_yet_valid, observed=f"valid {valid}", expected="valid now")
    expect(certificate.days_left, detail=f"until {certificate.not_after:%Y-%m-%d %H:%M} UTC")


@runbook("certificate-trust")
def test_certificate_trust(certificate, expect):
    """The chain verifies, the name matches, and the protocol is TLS 1.2 or newer."""
    verified = "a chain that verifies"
    if certificate.trusted:
        expect.that(True, observed="it verifies", expected=verified)
    else:
        expect.that(False, observed=f"{certificate.verify_message} (code {certificate.verify_code})", expected=verified)
    names = ", ".join(certificate.names[:6]) or "no names"
    expect.that(certificate.name_matches, observed=f"a certificate for {names}", expected="the name connected to")
    expect.that(
        certificate.protocol in ("TLSv1.2", "TLSv1.3"), observed=certificate.protocol, expected="TLSv1.2 or TLSv1.3"
    )
