"""What a TLS endpoint presents, and whether it is to be trusted.

`probe` takes a `Certificate` target and the question `Handshake`. Trust is OpenSSL's verdict in a verified handshake;
everything else is read from the certificate itself, because OpenSSL stops at the first thing wrong: a certificate
that is expired *and* made for another host reports only one of the two.
"""
