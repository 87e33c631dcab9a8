"""Files and folders of the host: listings, dumps, archives."""
