"""YAML files as YAML 1.2 reads them (core schema), by libyaml: in Python, parsing costs ten times as much each start.

PyYAML by itself reads YAML 1.1, where `no` is false, `3:04` is 184, `010` is 8, and the last of two equal keys wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsverify.errors import ConfigurationError

if TYPE_CHECKING:
    import yaml

_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}
"""Which plain scalars are no strings, and what they begin with (YAML 1.2.2, 10.3.2; `<<` is of YAML 1.1). A date is a
string here: our models read it, so that an impossible one is a mistake among others."""

_loader: type[yaml.SafeLoader] | None = None


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of one document.

    Raises ConfigurationError when it cannot be read, is no YAML, or repeats a key.
    """
    import yaml

    with _told(path):
        return yaml.load(path.read_text(encoding="utf-8-sig"), _loader_class())  # noqa: S506 - a SafeLoader


class Nodes:
    """A YAML document of which only a part is read, with the lines in which its parts stand.

    Raises ConfigurationError, as `read_yaml` does.
    """

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        with _told(path):
            self._loader: Any = _loader_class()(text)
            self.root: yaml.Node | None = self._loader.get_single_node()

    def pairs(self, node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]] | None:
        """The keys and values of a mapping, none of an empty place; None for anything else."""
        import yaml

        if isinstance(node, yaml.MappingNode):
            with _told(self.path):
                self._loader.flatten_mapping(node)
            return list(node.value)
        return [] if node.tag == "tag:yaml.org,2002:null" else None

    @staticmethod
    def is_text(node: yaml.Node) -> bool:
        """Whether it is a string."""
        return bool(node.tag == "tag:yaml.org,2002:str")

    def value(self, node: yaml.Node) -> Any:
        """A scalar's value, as text where its tag is of somebody else's; an empty list for what is no scalar."""
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            return []
        with _told(self.path):
            return node.value if node.tag.startswith("!") else self._loader.construct_object(node)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever can be wrong with a YAML file, as a ConfigurationError."""
    import yaml

    try:
        yield
    except OSError as error:
        raise ConfigurationError([f"{path}: found no readable file ({error.strerror}), allowed a YAML file"]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: found bytes that are not UTF-8, allowed a YAML file"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context or "a mistake").split())
        raise ConfigurationError([f"{path}{where}: found {problem}, allowed YAML"]) from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, LookupError) as error:
        raise ConfigurationError([f"{path}: found no YAML ({type(error).__name__}), allowed YAML"]) from None


def _loader_class() -> type[yaml.SafeLoader]:
    """PyYAML's safe loader with the rules above; made when first needed, as importing PyYAML takes its time."""
    global _loader
    if _loader is not None:
        return _loader
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML can be built without libyaml

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own interface

        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self.flattened: set[Any] = set()

        def flatten_mapping(self, node: Any) -> None:
            """Refuse repeated keys, then add the merged ones that the mapping does not have itself.

            PyYAML compares merged keys by identity, so that which of two equal ones wins depends on their spelling.
            """
            if node in self.flattened:
                return
            self.flattened.add(node)
            own: list[Any] = []
            sources: list[Any] = []
            keys: set[Any] = set()
            for key_node, value_node in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    sources += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                    continue
                own.append((key_node, value_node))
                if isinstance(key_node, yaml.ScalarNode):
                    key = self.construct_object(key_node)
                    if key in keys:
                        problem = f"duplicate key {str(key_node.value)!r}"
                        raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                    keys.add(key)
            node.value = own
            inherited = []
            for source in sources:
                if not isinstance(source, yaml.MappingNode):
                    problem = "something to merge that is no mapping"
                    raise yaml.constructor.ConstructorError(None, None, problem, source.start_mark)
                self.flatten_mapping(source)
                for key_node, value_node in source.value:
                    key = self.construct_object(key_node, deep=True)
                    if key not in keys:
                        keys.add(key)
                        inherited.append((key_node, value_node))
            node.value = inherited + own

    for kind, (pattern, first) in _SCALARS.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z"), first)
    Loader.add_constructor("tag:yaml.org,2002:int", _integer)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", base.construct_yaml_str)
    _loader = Loader
    return _loader


def _integer(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    for prefix, base in (("0o", 8), ("0x", 16)):
        if text.startswith(prefix):
            return int(text[2:], base)
    return int(text)


__all__ = ["Nodes", "read_yaml"]
