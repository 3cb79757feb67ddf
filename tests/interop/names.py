"""Does the book say of every public name of NeMoS and pynapple what it is here?

    python tests/interop/names.py

Needs NeMoS and pynapple. Prints every name that the first columns of the tables in `coming_from_nemos.md` and
`coming_from_pynapple.md` lack, and fails if there is one.
"""

import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from pathlib import Path

BOOK = Path(__file__).resolve().parents[2] / "book" / "src"
# Modules of NeMoS that its documentation lists; the others are its own plumbing.
NEMOS = [
    "basis", "convolve", "exceptions", "fetch", "glm", "glm_hmm", "identifiability_constraints", "io",
    "observation_models", "pytrees", "regularizer", "simulation", "solvers", "styles", "tree_utils", "type_casting",
    "utils",
]
# What scikit-learn asks of every estimator.
ROUTING = re.compile(r"set_\w+_request|get_metadata_routing")


def listed(module):
    """The names that a module says are public, or those that are defined in it."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return set(names)
    own = lambda value: getattr(value, "__module__", "") == module.__name__
    return {name for name, value in vars(module).items() if not name.startswith("_") and own(value)}


def members(module, names):
    """The public methods and properties that the classes among these names have from their own package."""
    package = module.__name__.partition(".")[0]
    classes = [getattr(module, name) for name in names if inspect.isclass(getattr(module, name, None))]
    own = {base for kind in classes for base in kind.__mro__ if base.__module__.startswith(package)}
    found = {name for base in own for name in vars(base) if not name.startswith("_")}
    return {name for name in found if not ROUTING.fullmatch(name)}


def nemos_names():
    names = {"load_model", "inspect_npz"}
    for name in NEMOS:
        module = importlib.import_module(f"nemos.{name}")
        names |= listed(module) | members(module, listed(module))
    return names


def pynapple_names():
    import pynapple

    names = set()
    for part in ("core", "process", "io"):
        package = importlib.import_module(f"pynapple.{part}")
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if not found.name.rpartition(".")[2].startswith("_"):
                module = importlib.import_module(found.name)
                names |= listed(module) & set(dir(pynapple))
    return names | members(pynapple, names)


def in_table(chapter):
    """The names in the first column of the tables of a chapter."""
    rows = [line.split("|")[1] for line in (BOOK / chapter).read_text().splitlines() if line.startswith("| ")]
    code = [span for row in rows for span in re.findall(r"`([^`]+)`", row)]
    return {name for span in code for name in re.findall(r"[A-Za-z]\w*", span)}


def main():
    warnings.simplefilter("ignore")
    failed = False
    for chapter, names in (
        ("coming_from_nemos.md", nemos_names()),
        ("coming_from_pynapple.md", pynapple_names()),
    ):
        lacking = sorted(names - in_table(chapter))
        print(f"{chapter}: {len(names)} names, {len(lacking)} of them not in its tables", *lacking)
        failed |= bool(lacking)
    return failed


if __name__ == "__main__":
    sys.exit(main())
