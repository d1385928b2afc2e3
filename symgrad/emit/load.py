"""Generated source loaded in memory, without a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType


def load_module(source: str, name: str) -> ModuleType:
    """The module that the source makes. It is symgrad's own text, never a user's."""
    module = ModuleType(name)
    module.__file__ = f"<symgrad {name}>"
    code = compile(source, module.__file__, "exec")
    exec(code, module.__dict__)  # noqa: S102
    return module


def load_package(files: Mapping[str, str], name: str, target: str) -> ModuleType:
    """One kernel module of a package: `numpy` or `torch`. It is known to `sys.modules` while it is loaded."""
    full = f"symgrad_generated_{name}_{target}"
    module = ModuleType(full)
    sys.modules[full] = module
    loaded = load_module(files[f"{target}_kernels.py"], full)
    sys.modules[full] = loaded
    return loaded
