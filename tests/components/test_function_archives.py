"""What is shipped to Lambda: each function alone, with what it shares, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from components.common.function_code import POSTGRES_DRIVER, FunctionCode, function_files
from components.common.imported_files import imported_files
from components.tenants.bootstrap import CODE as BOOTSTRAP
from components.tenants.tenant_mover import MOVER
from components.tenants.tenant_offboarder import LEAVER
from components.tenants.tenant_rekeyer import REKEYER

FUNCTIONS = {
    code.folder: code
    for code in (
        BOOTSTRAP,
        FunctionCode("tenant_data", MOVER.distributions),
        FunctionCode("tenant_leaving", LEAVER.distributions),
        FunctionCode("tenant_rekey", REKEYER.distributions),
        FunctionCode("lifecycle_starter"),
        FunctionCode("session_watch", POSTGRES_DRIVER),
        FunctionCode("token_authoriser"),
        FunctionCode("webhook_delivery"),
    )
}
# As they are deployed: another name would be another handler in every cell.
HANDLERS = {
    "lifecycle_starter": "functions.lifecycle_starter.handler.handle",
    "session_watch": "functions.session_watch.handler.handle",
    "tenant_bootstrap": "tenant_bootstrap.handler.handle",
    "tenant_data": "functions.tenant_data.handler.handle",
    "tenant_leaving": "functions.tenant_leaving.handler.handle",
    "tenant_rekey": "tenant_rekey.handler.handle",
    "token_authoriser": "token_authoriser.handler.handle",
    "webhook_delivery": "webhook_delivery.handler.handle",
}
START = """
import importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
module, name = sys.argv[2].rsplit(".", 1)
print(callable(getattr(importlib.import_module(module), name)))
files = [p for p in pathlib.Path(sys.argv[1]).rglob("*.py") if "functions" in p.parts or "config" in p.parts]
for file in files:
    importlib.import_module(".".join(file.relative_to(sys.argv[1]).with_suffix("").parts))
"""


def unpacked(code: FunctionCode, folder: Path) -> Path:
    """The archive as Lambda gets it, unpacked."""
    path = folder / "function.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name, content in function_files(code).items():
            target.writestr(name, content if isinstance(content, str) else content.read_bytes())
    with zipfile.ZipFile(path) as source:
        source.extractall(folder / "code")
    return folder / "code"


def run_alone(program: str, folder: Path, *arguments: str) -> str:
    """With the archive and the standard library: no site packages, no repository."""
    command = [sys.executable, "-I", "-S", "-c", program, str(folder), *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_every_folder_of_a_function_is_tested_here() -> None:
    root = Path(__file__).parents[2] / "functions"
    assert {p.parent.name for p in root.glob("*/handler.py")} == set(FUNCTIONS) == set(HANDLERS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_archive_starts_with_nothing_else_at_hand(name: str, tmp_path: Path) -> None:
    code = FUNCTIONS[name]
    assert code.handler == HANDLERS[name]
    assert run_alone(START, unpacked(code, tmp_path), code.handler) == "True\n"


def test_the_bootstrap_function_has_the_driver_and_the_roots_of_rds(tmp_path: Path) -> None:
    program = """
import sys; sys.path.insert(0, sys.argv[1])
from tenant_bootstrap.handler import handle
from functions.common.connection import trusted
from functions.common.passwords import verifier
print(verifier("x")[:19], len(trusted().get_ca_certs()) > 20)
"""
    assert run_alone(program, unpacked(BOOTSTRAP, tmp_path)) == "SCRAM-SHA-256$4096: True\n"


def test_a_function_ships_what_it_imports_and_no_other_function() -> None:
    shipped = {name: set(function_files(FunctionCode(name))) for name in FUNCTIONS}
    assert "config/fields.py" in shipped["tenant_rekey"]
    assert "functions/common/refusals.sql" in shipped["tenant_data"] & shipped["tenant_leaving"]
    assert not [f for f in shipped["tenant_rekey"] if "connection" in f or f.endswith(".sql")]
    for name, files in shipped.items():
        folders = {Path(f).parts[1] for f in files if f.startswith("functions/") and f.count("/") > 1}
        assert folders <= {name, "common"}, name


@pytest.mark.parametrize("name", ["token_authoriser", "webhook_delivery"])
def test_a_function_that_shares_the_daily_call_alone_ships_nothing_else(name: str) -> None:
    root = Path(__file__).parents[2]
    own = {f"functions/{name}/{p.name}" for p in (root / "functions" / name).glob("*.py")}
    shared = {f"functions/{f}" for f in ("__init__.py", "common/__init__.py", "common/keep_active.py")}
    assert set(function_files(FUNCTIONS[name])) == {*own, *shared, f"{name}/handler.py"}


EVERY_BLOCK = """
class C:
    def f(self):
        import in_.body
try:
    pass
except ValueError:
    import in_.handler
else:
    import in_.orelse
finally:
    while False:
        import in_.finalbody
match 1:
    case 1:
        import in_.case
"""


def test_imports_are_followed_into_every_kind_of_block(tmp_path: Path) -> None:
    blocks = ("body", "case", "finalbody", "handler", "orelse")
    (tmp_path / "in_").mkdir()
    for file in (tmp_path / "entry.py", *(tmp_path / f"in_/{block}.py" for block in blocks)):
        file.write_text(EVERY_BLOCK, encoding="utf-8")
    assert {f.stem for f in imported_files(tmp_path / "entry.py", tmp_path)} == {"entry", *blocks}


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    files = {
        "room/__init__.py": "",
        "room/entry.py": "from .near import x\nimport far.deep\nimport json\n",
        "room/near.py": 'def f():\n    from far import late\nDATA = "beside.sql"\n',
        "room/beside.sql": "",
        "room/other.sql": "",
        "room/unused.py": "",
        "far/__init__.py": "",
        "far/deep.py": "import room.entry\n",
        "far/late.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = {str(f.relative_to(tmp_path)) for f in imported_files(tmp_path / "room/entry.py", tmp_path)}
    assert found == set(files) - {"room/other.sql", "room/unused.py"}
