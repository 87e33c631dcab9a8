"""All nouns that checks may use, one module per kind of target.

Importing this package registers them. It must stay cheap: the probes' modules hold questions and facts only, and
import what does the I/O when they are called.
"""

from opsverify.vocabulary import apis, backups, certificates, databases, frontends, hosts, releases, services

__all__ = ["apis", "backups", "certificates", "databases", "frontends", "hosts", "releases", "services"]
