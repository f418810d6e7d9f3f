"""Programs under the language host of a CLI that was built here: as under the official one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.paths import ROOT
from tests.devtools.small import Small
from tests.waiting import LIMIT, is_running, wait_for

HOST = [sys.executable, "-P", str(ROOT / "devtools" / "language_host.py")]
FAILS = """
import sys, pulumi

def deep():
    raise ValueError("boom")

HOW = pulumi.Config().require("how")
if HOW == "raises":
    deep()
if HOW == "refuses":
    raise pulumi.RunError("one clear sentence")
if HOW == "exits":
    sys.exit(3)
if HOW == "says why and exits":
    sys.exit("no such thing")

async def main():
    if HOW == "raises later":
        deep()
    if HOW == "refuses later":
        raise pulumi.RunError("one clear sentence")
    return {"end": HOW}

pulumi.run(main)
"""
TRACE = "Program failed with an unhandled exception:\n    Traceback (most recent call last):\n"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raises", "ValueError: boom"),
        ("raises later", "ValueError: boom"),
        ("refuses", "error: one clear sentence"),
        ("refuses later", "error: one clear sentence"),
        ("exits", "error: program exited with non-zero exit code: 3"),
        ("says why and exits", "error: program exited with non-zero exit code: 1 (no such thing)"),
    ],
)
def test_what_is_wrong_is_told_once_and_as_the_programs_own(tmp_path: Path, how: str, message: str) -> None:
    small = Small(tmp_path, FAILS, f'{{"small:how": "{how}"}}')
    status, output = small.pulumi("preview")
    summary = output[output.index("Diagnostics:") :]
    assert status != 0
    assert summary.count(message) == 1, output
    assert "language_host" not in output
    assert "runpy" not in output
    if "raises" in how:
        place = summary.index(TRACE) + len(TRACE)
        assert summary[place:].lstrip().startswith('File "' + str(small.project / "__main__.py")), output
        assert summary.index("in deep") > place
    else:
        assert "Traceback" not in output


def test_a_program_runs_in_the_main_thread_and_sees_its_stack(tmp_path: Path) -> None:
    program = """
import os, sys, threading, pulumi
print("written by the program")
pulumi.export("seen", {
    "main": threading.current_thread() is threading.main_thread(),
    "stack": pulumi.get_stack(), "project": pulumi.get_project(), "organization": pulumi.get_organization(),
    "root": pulumi.get_root_directory(), "cwd": os.getcwd(), "dry": pulumi.runtime.is_dry_run(),
    "first": sys.path[0], "sandbox": any("sandbox" in m for m in sys.modules),
    "number": pulumi.Config().require_int("number"), "secret": pulumi.Config().require_secret("hidden"),
})
"""
    small = Small(tmp_path, program, '{"small:number": 7}')
    assert small.pulumi("config", "set", "--secret", "hidden", "s3cret")[0] == 0
    status, output = small.pulumi("up", "--yes")
    assert status == 0, output
    assert "written by the program" in output
    status, shown = small.pulumi("stack", "output", "--json", "--show-secrets")
    assert status == 0
    folder = str(small.project)
    for part in ('"main":true', '"stack":"dev"', '"project":"small"', '"organization":"organization"'):
        assert part in shown.replace(" ", ""), shown
    for part in (f'"root": "{folder}"', f'"cwd": "{folder}"', f'"first": "{folder}"', '"secret": "s3cret"'):
        assert part in shown, shown
    assert '"dry":false' in shown.replace(" ", "")
    assert '"sandbox":false' in shown.replace(" ", "")
    assert "s3cret" not in small.file.read_text(encoding="utf-8")


def test_modules_of_the_program_are_its_own_and_not_this_checkouts(tmp_path: Path) -> None:
    small = Small(tmp_path, "import plan")  # a package of this repository, and none of the program
    status, output = small.pulumi("preview")
    assert status != 0
    assert "No module named 'plan'" in output


def test_a_policy_pack_runs_and_what_it_forbids_is_not_planned(tmp_path: Path) -> None:
    program = 'import pulumi_random as r\nr.RandomPassword("short", length=4)\n'
    small = Small(tmp_path, program)
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.0.1\n", encoding="utf-8")
    (pack / "__main__.py").write_text(
        """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def long_enough(args, report):
    if args.resource_type == "random:index/randomPassword:RandomPassword" and args.props["length"] < 12:
        report("a password has twelve characters")

PolicyPack(name="pack", enforcement_level=EnforcementLevel.MANDATORY, policies=[
    ResourceValidationPolicy(name="passwords", description="Long passwords", validate=long_enough)])
""",
        encoding="utf-8",
    )
    status, output = small.pulumi("preview", "--policy-pack", str(pack))
    assert status != 0
    assert "a password has twelve characters" in output
    (small.project / "__main__.py").write_text(program.replace("4", "16"), encoding="utf-8")
    status, output = small.pulumi("preview", "--policy-pack", str(pack))
    assert status == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_at_once_and_quietly(number: int) -> None:
    host = subprocess.Popen(HOST, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert host.stdout
    assert int(host.stdout.readline()) > 0
    host.send_signal(number)
    assert host.wait(LIMIT) == 0
    assert host.stdout.read() == b""


def test_a_signal_ends_it_though_its_main_thread_never_wakes() -> None:
    """As when the signal comes just before the main thread falls asleep: another thread takes it, Python's
    own handler waits for the main thread, and the main thread waits for ever."""
    program = """
import signal, threading
from devtools import language_host
language_host.exit_on_signals()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # of this thread alone
print("asleep", flush=True)
threading.Event().wait()
"""
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    assert host.stdout
    assert host.stdout.readline() == b"asleep\n"
    host.send_signal(signal.SIGTERM)
    assert host.wait(LIMIT) == 0


def test_it_ends_with_an_engine_that_was_killed() -> None:
    """The engine is a process that starts the host and is killed without a word."""
    start = f"import subprocess; p = subprocess.Popen({HOST!r}); print(p.pid, flush=True); p.wait()"
    engine = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE)
    assert engine.stdout
    host = int(engine.stdout.readline())
    assert int(engine.stdout.readline()) > 0  # it serves
    engine.kill()
    wait_for(lambda: not is_running(host), "the end of the host")


def test_it_names_the_plugins_and_packages_of_the_program(tmp_path: Path) -> None:
    status, output = Small(tmp_path, "").pulumi("about")
    assert status == 0, output
    assert f"executable='{os.path.realpath(sys.executable)}'" in output or sys.executable in output
    for package in ("pulumi_aws ", "pulumi_random ", "pulumi_tls "):
        assert package in output, output
