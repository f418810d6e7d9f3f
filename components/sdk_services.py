"""The SDK for AWS, loaded a module at a time instead of a service at a time.

The SDK loads a service when its first resource is made, and then the whole of it: `pulumi_aws.ec2` is more
than 200 modules, of which the program uses 20. Here the package of a service starts empty, and a name is
looked for in the modules where the SDK's generator writes it: a resource or a function in the module of its
own name, types of inputs in `_inputs`, enumerations in `_enums`.

What a name means is not decided here. A package that does more than import its modules, or a name that is not
where it is expected, is loaded as the SDK itself does. A new release can thus make this slow, not wrong:
`tests/program/test_sdk_services.py` compares each name of the services in use.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final, cast

_SERVICE: Final = re.compile(r"pulumi_aws\.\w+")
_OUTPUTS: Final = "outputs"  # the one module that the package has as such
_IMPORTED: Final = re.compile(rf"from \.(\w+) import \*|from \. import ({_OUTPUTS})")
# What else the package of a service says; the names that it binds are for itself.
_PREAMBLE: Final = frozenset(
    {
        "",
        "from .. import _utilities",
        "import builtins as _builtins",
        "import typing",
    }
)
_TYPE_OF_INPUTS: Final = re.compile(r"Args(Dict)?$")
_NEXT_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Service(ModuleType):
    """The package of a service. It has what somebody has asked for, and finds the rest."""

    def __getattr__(self, name: str) -> Any:
        found = find(self, name)
        if found is None:
            _load_whole(self)
            return getattr(self, name)
        setattr(self, name, found)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        """Importing a module binds it here; the package has what the module exports by the same name."""
        if name in getattr(value, "__all__", ()):
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        _load_whole(self)
        return dir(self)


class ServiceLoader(SourceFileLoader):
    """Loads the package of a service without its modules, where the package consists of nothing else."""

    modules: frozenset[str] = frozenset()

    def exec_module(self, module: ModuleType) -> None:
        lines = {line.partition("#")[0].strip() for line in self.get_data(self.path).decode().splitlines()}
        imports = [_IMPORTED.fullmatch(line) for line in lines - _PREAMBLE]
        if not all(imports):
            super().exec_module(module)
            return
        self.modules = frozenset(match[1] or match[2] for match in imports if match)
        module.__class__ = Service


class ServiceFinder:
    """Gives the packages of services the loader above. The SDK is found where Python finds it."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _SERVICE.fullmatch(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.submodule_search_locations and isinstance(spec.loader, SourceFileLoader):
            spec.loader = ServiceLoader(spec.loader.name, spec.loader.path)
        return spec


def find(service: ModuleType, name: str) -> object | None:
    """What the whole package has by this name; None if that is not where it is expected."""
    modules = _loader(service).modules
    if name == _OUTPUTS and name in modules:
        return import_module(f"{service.__name__}.{name}")
    for expected in _modules_of(name):
        if expected in modules:
            module = import_module(f"{service.__name__}.{expected}")
            if name in module.__all__:
                return getattr(module, name)
    return None


def _modules_of(name: str) -> Iterator[str]:
    """Where the name may be, first the module that the package imports last: its names replace others'.

    A type of inputs that is nested in one resource can have the name of the inputs of another.
    """
    if _TYPE_OF_INPUTS.search(name):
        yield "_inputs"
    words = _NEXT_WORD.sub("_", _TYPE_OF_INPUTS.sub("", name)).lower()
    yield words.removesuffix("_output")  # of a function, for arguments that are outputs
    yield "_enums"


def _loader(service: ModuleType) -> ServiceLoader:
    return cast("ServiceLoader", service.__loader__)


def _load_whole(service: ModuleType) -> None:
    service.__class__ = ModuleType
    SourceFileLoader.exec_module(_loader(service), service)


def install() -> None:
    """From here on; services that were touched before stay as they are."""
    if ServiceFinder not in sys.meta_path:
        sys.meta_path.insert(0, ServiceFinder)
