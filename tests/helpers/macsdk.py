"""Stand-ins for pyobjc's modules and for C libraries, made from what Apple's SDK declares.

An unknown name is an `AttributeError` and a wrong number of arguments a `TypeError`, as on a Mac;
every call is recorded, and a test scripts the answers. What is not scripted answers `None`.
"""

import ast
import ctypes
import itertools
import json
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TABLE = Path(__file__).parents[1] / "data" / "macsdk" / "sdk.json"
_FOUNDATION = ("Foundation", "CoreFoundation")
_GRAPHICS = ("CoreGraphics", "QuartzCore")
MODULES: dict[str, tuple[str, ...]] = {
    "Foundation": _FOUNDATION,
    "AppKit": ("AppKit", *_FOUNDATION),
    "Quartz": ("Quartz", *_GRAPHICS, *_FOUNDATION),
    "ApplicationServices": ("ApplicationServices", "Quartz", *_GRAPHICS, *_FOUNDATION),
    "ServiceManagement": ("ServiceManagement", *_FOUNDATION),
    "UserNotifications": ("UserNotifications", *_FOUNDATION),
    "AVFoundation": ("AVFoundation", "CoreMedia", *_FOUNDATION),
}
Signatures = Mapping[str, tuple[Any, tuple[Any, ...]]]
# NSObject itself is not among the extracted headers.
_ROOT = {
    "parents": [],
    "class": {"alloc": 0, "new": 0},
    "instance": {
        "init": 0,
        "respondsToSelector": 1,
        "performSelectorOnMainThreadWithObjectWaitUntilDone": 3,
    },
}


def joined(selector: str) -> str:
    """Return Python's `setString_forType_` as the table's `setStringForType`."""
    first, *rest = selector.rstrip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


class Sdk:
    """The declarations, asked by name."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._sdk = table["sdk"]
        self._pyobjc = table["pyobjc"]
        self.classes: dict[str, Any] = {"NSObject": _ROOT}
        self.protocols: dict[str, Any] = {}
        self.functions: dict[str, int] = {}
        for framework in self._sdk.values():
            for name, entry in framework["classes"].items():
                if name not in framework["protocols"]:
                    self.classes[name] = entry
            self.protocols.update(framework["protocols"])
            self.functions.update(framework["functions"])

    def arguments(self, class_name: str, selector: str, side: str) -> int | None:
        """Return how many arguments a selector of a class takes, `None` when it has no such."""
        name = joined(selector)
        seen, todo = set(), [class_name]
        while todo:
            current = todo.pop()
            entry = self.classes.get(current)
            if entry is None or current in seen:
                continue
            seen.add(current)
            if name in entry[side]:
                return int(entry[side][name])
            todo += entry["parents"]
        return None

    def has_selector(self, selector: str, count: int) -> bool:
        """Return whether any class or protocol has the selector with that many arguments."""
        name = joined(selector)
        containers = itertools.chain(self.classes.values(), self.protocols.values())
        return any(
            entry[side].get(name) == count
            for entry in containers
            for side in entry
            if side != "parents"
        )

    def kind(self, module: str, name: str) -> str | None:
        """Return what `module.name` is: `class`, `function`, `value`, or nothing."""
        if name == "NSObject":
            return "class"
        for framework in MODULES[module]:
            found = self._sdk.get(framework, {})
            if name in found.get("classes", {}) and name in self.classes:
                return "class"
            if name in found.get("functions", {}):
                return "function"
        return "value" if self._find_value(module, name) is not None else None

    def value(self, module: str, name: str) -> object:
        """Return a constant's value; one that only a Mac knows is its own name."""
        found = self._find_value(module, name)
        if found is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return found

    def _find_value(self, module: str, name: str) -> object:
        for framework in MODULES[module]:
            found = self._pyobjc.get(framework, {})
            if name in found.get("enums", {}):
                return found["enums"][name]
            if name in found.get("strings", {}):
                return found["strings"][name]
            if name in found.get("constants", ()):
                return name
        return None


@cache
def load_sdk(path: Path = TABLE) -> Sdk:
    return Sdk(json.loads(path.read_text("utf-8")))


@dataclass(frozen=True)
class Call:
    """One recorded call: `NSPasteboard.clearContents`, `CGEventPost`, …"""

    name: str
    args: tuple[Any, ...]


class MacStandIn:
    """The modules, the record of calls, and the script of answers.

    `answers` maps a call's name to a value, or to a function of the call's arguments.
    """

    def __init__(self, sdk: Sdk | None = None) -> None:
        self.sdk = sdk or load_sdk()
        self.calls: list[Call] = []
        self.answers: dict[str, Any] = {}
        self._classes: dict[str, type] = {}
        self.own_classes: dict[str, type] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the stand-in modules where `import` finds them, until the test ends."""
        for name in MODULES:
            monkeypatch.setitem(sys.modules, name, _Module(name, self))
        monkeypatch.setitem(sys.modules, "objc", _objc(self))

    def args(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of every call of `name`."""
        return [call.args for call in self.calls if call.name == name]

    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    def instance(self, class_name: str) -> Any:
        """Return a new stand-in object of a class."""
        return self.class_(class_name)()

    def class_(self, name: str) -> Any:
        if name not in self._classes:
            entry = self.sdk.classes[name]
            parents = [p for p in entry["parents"] if p in self.sdk.classes]
            base = self.class_(parents[0]) if parents else _Object
            self._classes[name] = _Class(name, (base,), {"_sdk_name": name, "_mac": self})
        return self._classes[name]

    def answer(self, name: str, args: tuple[Any, ...]) -> Any:
        self.calls.append(Call(name, args))
        answer = self.answers.get(name)
        return answer(*args) if callable(answer) and not isinstance(answer, type) else answer

    def library(self, signatures: Signatures) -> "CLibrary":
        """Return a C library of the table's functions, called through ctypes as on a Mac."""
        return CLibrary(self, signatures)


class _Class(type):
    """A class of the table: class selectors as attributes, Python subclasses checked."""

    _sdk_name: str
    _mac: MacStandIn

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> "_Class":
        made = super().__new__(cls, name, bases, body)
        if "_sdk_name" not in body and bases and name != "_Object":
            _check_methods(name, body)
            assert name not in made._mac.own_classes, f"{name} is made twice"
            made._mac.own_classes[name] = made
        return made

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "alloc":
            return cls
        count = cls._mac.sdk.arguments(cls._sdk_name, name, "class")
        return _method(cls._mac, cls._sdk_name, name, count)


def _check_methods(class_name: str, body: dict[str, Any]) -> None:
    for name, value in body.items():
        if not isinstance(value, types.FunctionType) or name.startswith("__"):
            continue
        wanted = name.count("_") if name.endswith("_") else 0
        if value.__code__.co_argcount - 1 != wanted:
            raise TypeError(f"{class_name}.{name} must take {wanted} arguments")


def _method(mac: MacStandIn, class_name: str, name: str, count: int | None) -> Callable[..., Any]:
    if count is None or count != (name.count("_") if name.endswith("_") else 0):
        raise AttributeError(f"{class_name} has no selector {name}")

    def call(*args: Any) -> Any:
        if len(args) != count:
            raise TypeError(f"{class_name}.{name} takes {count} arguments, got {len(args)}")
        return mac.answer(f"{class_name}.{name}", args)

    return call


class _Object(metaclass=_Class):
    """An instance: selectors as attributes; `init…` answers itself unless scripted."""

    _sdk_name = "NSObject"
    _mac: MacStandIn

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        cls = type(self)
        if name == "init":
            return lambda: self
        count = cls._mac.sdk.arguments(cls._sdk_name, name, "instance")
        method = _method(cls._mac, cls._sdk_name, name, count)
        if not name.startswith("init"):
            return method

        def initialise(*args: Any) -> Any:
            answer = method(*args)
            return self if f"{cls._sdk_name}.{name}" not in cls._mac.answers else answer

        return initialise


class _Module(types.ModuleType):
    def __init__(self, name: str, mac: MacStandIn) -> None:
        super().__init__(name)
        self._mac = mac

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        mac = self._mac
        kind = mac.sdk.kind(self.__name__, name)
        if kind == "class":
            return mac.class_(name)
        if kind == "function":
            return _function(mac, name)
        return mac.sdk.value(self.__name__, name)


def _function(mac: MacStandIn, name: str) -> Callable[..., Any]:
    count = mac.sdk.functions[name]

    def call(*args: Any) -> Any:
        if len(args) != count:
            raise TypeError(f"{name} takes {count} arguments, got {len(args)}")
        return mac.answer(name, args)

    return call


class CLibrary:
    """A C library: each function of `signatures` as C code that calls the script.

    ctypes converts every argument, so a wrong type is noticed as on a Mac. An unscripted function
    returns 0.
    """

    def __init__(self, mac: MacStandIn, signatures: Signatures) -> None:
        self._mac = mac
        self._functions: dict[str, Any] = {}
        for name, (result, arguments) in signatures.items():
            if mac.sdk.functions.get(name) != len(arguments):
                raise AttributeError(f"no symbol {name} with {len(arguments)} arguments")
            self._functions[name] = ctypes.CFUNCTYPE(result, *arguments)(self._code(name, result))

    def _code(self, name: str, result: Any) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            answer = self._mac.answer(name, args)
            return None if result is None else answer or 0

        return call

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(f"no symbol {name}") from None

    def constant(self, name: str) -> int:
        self._mac.calls.append(Call("constant", (name,)))
        return 1


class _Pool:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


OBJC = frozenset(
    ("autorelease_pool", "lookUpClass", "nosuchclass_error", "objc_object", "selector")
)


def _objc(mac: MacStandIn) -> types.ModuleType:
    module = types.ModuleType("objc")

    class NoSuchClass(Exception): ...

    def look_up(name: str) -> Any:
        try:
            return mac.own_classes[name]
        except KeyError:
            raise NoSuchClass(name) from None

    def objc_object(*, c_void_p: Any) -> Any:
        return mac.answer("objc.objc_object", (c_void_p,))

    def selector(function: Any, *, selector: bytes, signature: bytes) -> Any:
        # One character a type, two for a pointer; result, self and selector come first.
        assert selector.count(b":") == len(re.findall(rb"[onN]?\^?[@:vZi]", signature)) - 3
        return function

    contents: dict[str, Any] = {
        "selector": selector,
        "autorelease_pool": _Pool,
        "objc_object": objc_object,
        "lookUpClass": look_up,
        "nosuchclass_error": NoSuchClass,
    }
    assert set(contents) == OBJC
    module.__dict__.update(contents)
    return module


# ---- the static check -----------------------------------------------------------------------

_CAMEL = re.compile(r"^[a-z]+[A-Z]\w*$")
_LIBRARIES = ("carbon", "iokit", "library")


def faults_in(source: str, sdk: Sdk) -> list[str]:
    """Return one line for each use of the Mac's libraries that its SDK does not declare."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in MODULES
    }
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    texts = {
        node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    }
    found = [
        f"line {node.lineno}: {fault}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Call | ast.ClassDef)
        for fault in _faults(node, sdk, modules, own, texts)
    ]
    return sorted(set(found))


def _faults(
    node: ast.AST, sdk: Sdk, modules: set[str], own: set[str], texts: set[str]
) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id="objc"), attr=name):
            if name not in OBJC:
                yield f"objc.{name} is not known"
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
            if sdk.kind(module, name) is None:
                yield f"{module}.{name} is not declared"
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args):
            yield from _call_faults(owner, name, args, sdk, modules, own)
        case ast.ClassDef(bases=[ast.Attribute(value=ast.Name(id=module)), *_]) if (
            module in modules
        ):
            yield from _class_faults(node, sdk, texts)


def _call_faults(
    owner: ast.expr,
    name: str,
    args: list[ast.expr],
    sdk: Sdk,
    modules: set[str],
    own: set[str],
) -> Iterator[str]:
    count = len(args)
    match owner:
        case ast.Name(id="objc" | "logging"):
            return
        case ast.Name(id=module) if module in modules:
            if sdk.kind(module, name) == "function" and sdk.functions[name] != count:
                yield f"{name} takes {sdk.functions[name]} arguments, not {count}"
            return
        case ast.Attribute(value=ast.Name(id=module), attr=cls) if module in modules:
            if name != "alloc" and sdk.arguments(cls, name, "class") != count:
                yield f"{cls} has no class selector {name} with {count} arguments"
            return
    last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    if last.lower().endswith(_LIBRARIES) and name[0].isupper():
        if sdk.functions.get(name) != count:
            yield f"no function {name} with {count} arguments"
    elif name.endswith("_") and not name.startswith("_"):
        if name.count("_") != count or not sdk.has_selector(name, count):
            yield f"no selector {name} with {count} arguments"
    elif (
        modules
        and _CAMEL.match(name)
        and name not in own
        and (count or not sdk.has_selector(name, 0))
    ):
        yield f"no selector {name} with {count} arguments"


def _class_faults(node: ast.ClassDef, sdk: Sdk, texts: set[str]) -> Iterator[str]:
    for member in node.body:
        if not isinstance(member, ast.FunctionDef) or member.decorator_list:
            continue
        count = len(member.args.args) - 1
        as_action = member.name.replace("_", ":")
        if as_action in texts or member.name == "init":
            continue
        if not sdk.has_selector(member.name, count):
            yield f"{node.name}.{member.name} overrides nothing"
