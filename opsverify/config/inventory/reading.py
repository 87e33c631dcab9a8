"""An inventory from its file, with the files in group_vars and host_vars beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opsverify.config.inventory.ini_form import read_ini
from opsverify.config.inventory.model import Inventory, Variable
from opsverify.config.inventory.variables import ENCRYPTED
from opsverify.config.inventory.yaml_form import read_yaml_form, variables_in
from opsverify.config.yaml_file import Nodes
from opsverify.errors import ConfigurationError

_ENDINGS = (".yml", ".yaml", ".json")


def read_inventory(path: Path) -> Inventory:
    """What the file says: YAML by its name's ending, else INI. Its mistakes are listed in it, not raised."""
    inventory = Inventory(path)
    text = _text(path, inventory)
    if text is not None and _is_static(text, inventory):
        try:
            if path.suffix in _ENDINGS:
                read_yaml_form(Nodes(text, path), inventory)
            else:
                read_ini(text, inventory)
        except ConfigurationError as error:
            inventory.mistakes += error.mistakes
        except RecursionError:
            inventory.mistakes.append(f"{path}: found an alias that holds itself, or no end of nesting, allowed groups")
        _beside(inventory)
    inventory.close()
    return inventory


def _text(path: Path, inventory: Inventory) -> str | None:
    """A file's text; None, with a mistake, for what is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        inventory.mistakes.append(f"{path}: found no readable file ({error.strerror}), allowed a file of text")
    except UnicodeDecodeError:
        inventory.mistakes.append(f"{path}: found bytes that are not UTF-8, allowed a file of text")
    except ValueError:  # a NUL in its name
        inventory.mistakes.append("found an inventory whose name is none of a file, allowed a path")
    return None


def _is_static(text: str, inventory: Inventory) -> bool:
    """Whether nothing would have to be run or decrypted, which is a mistake."""
    if text.startswith("#!"):
        inventory.mistakes.append(f"{inventory.path}: found a script, allowed a static inventory: nothing is executed")
    elif text.startswith(ENCRYPTED):
        inventory.mistakes.append(f"{inventory.path}: found what ansible-vault has encrypted, allowed plain text")
    else:
        return True
    return False


def _beside(inventory: Inventory) -> None:
    """Add the variables of files named after a group or a host; a folder's files count in alphabetical order.

    Source: Ansible documentation, "Organizing host and group variables".
    """
    folder = inventory.path.parent
    groups, hosts = _listed(folder / "group_vars"), _listed(folder / "host_vars")
    for name in groups:
        if name in inventory.groups:
            for path in _files(groups[name]):
                inventory.groups[name].beside |= _variables(path, inventory)
    for name in hosts:
        if name in inventory.hosts:
            for path in _files(hosts[name]):
                inventory.beside.setdefault(name, {}).update(_variables(path, inventory))


def _listed(folder: Path) -> dict[str, Path]:
    """What a folder holds, by the group or host that it is about; of several, the first that Ansible looks for."""
    found: dict[str, Path] = {}
    try:
        paths = {path.name: path for path in folder.iterdir()}
    except OSError:
        return found
    for ending in (*reversed(_ENDINGS), ""):  # what comes later stays
        found |= {name.removesuffix(ending): path for name, path in paths.items() if name.endswith(ending)}
    return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for inner in sorted(path.iterdir()):
            hidden = inner.name.startswith(".") or inner.name.endswith("~")
            if not hidden and (not inner.suffix or (inner.suffix in _ENDINGS and inner.is_file())):
                yield from _files(inner)


def _variables(path: Path, inventory: Inventory) -> dict[str, Variable]:
    text = _text(path, inventory)
    if text is not None and text.startswith(ENCRYPTED):
        return {str(path): Variable(ENCRYPTED, str(path))}  # it may hold any variable
    try:
        return {} if text is None else variables_in(Nodes(text, path), inventory)
    except ConfigurationError as error:
        inventory.mistakes += error.mistakes
        return {}


__all__ = ["read_inventory"]
