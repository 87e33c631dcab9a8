"""What there is on a host, for whoever does not know it yet: `python -m opsverify.discover`. No check asks any of it.

Only names and places leave the host: of files of variables the names, of command lines the files that are mentioned, of
nginx's configuration where requests come in and lead to. What this account may not read is listed, so that nobody takes
it for missing.
"""
