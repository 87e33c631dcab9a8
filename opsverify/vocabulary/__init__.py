"""All nouns that checks may use, one module per kind of target.

Importing this package registers them. It must stay cheap: the probes' modules hold questions and facts only, and
import what does the I/O when they are called.
"""

from opsverify.vocabulary import (
    alerts,
    apis,
    backups,
    certificates,
    databases,
    documents,
    folders,
    frontends,
    hosts,
    jobs,
    logs,
    proxies,
    releases,
    services,
)

__all__ = [
    "alerts",
    "apis",
    "backups",
    "certificates",
    "databases",
    "documents",
    "folders",
    "frontends",
    "hosts",
    "jobs",
    "logs",
    "proxies",
    "releases",
    "services",
]
