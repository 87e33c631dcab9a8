"""All facts that checks may take, one module per kind of target: importing this package registers them.

It must stay cheap: the probes' modules hold questions and facts only, and import what does the I/O when they are
called.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
