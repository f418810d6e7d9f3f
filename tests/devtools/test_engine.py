"""`pulumi` as a person types it after `make env`: in a sandbox, and no committed file is touched."""

import json
from pathlib import Path

import pytest
import yaml

from devtools.call import Call
from devtools.engine import in_project
from devtools.environment import settings
from devtools.paths import Sandbox
from tests.devtools.small import QUEUES, Small


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path, QUEUES, '{"small:queues": 5}')


def files_of(small: Small) -> dict[str, bytes]:
    return {
        str(p): p.read_bytes()
        for p in small.project.rglob("*")
        if "__pycache__" not in p.parts and p.is_file()
    }


@pytest.mark.slow
def test_no_command_leaves_a_trace_in_the_project(small: Small) -> None:
    before = files_of(small)
    below = small.project / "below"
    below.mkdir()
    for args, cwd in [
        (("preview",), None),
        (("up", "--yes"), None),  # with the preview that a person sees first
        (("preview",), below),
        (("preview", "--cwd", str(small.project)), small.sandbox),
        (("config",), None),
        (("stack", "output", "tenants"), None),
        (("stack", "history"), None),
        (("stack", "history", "--show-secrets"), None),
        (("refresh", "--yes"), None),
        (("destroy", "--yes"), None),
        (("stack", "rm", "--yes"), None),
    ]:
        status, output = small.pulumi(*args, cwd=cwd)
        assert status == 0, (args, output)
        assert files_of(small) == before, args
    status, output = small.pulumi("up", "--yes")  # the stack is made again, with the secrets it had
    assert status == 0, output
    assert files_of(small) == before


def test_a_setting_is_written_to_the_committed_file_without_the_salt(small: Small) -> None:
    small.file.write_text(
        "# why\nconfig:\n  small:queues: 5 # few\nsecretsprovider: awskms://alias/x\n", "utf-8"
    )
    assert small.pulumi("config", "set", "queues", "6")[0] == 0
    assert small.pulumi("config", "set", "--secret", "token", "s3cret")[0] == 0
    text = small.file.read_text(encoding="utf-8")
    assert "encryptionsalt" not in text
    assert "s3cret" not in text
    assert "# why" in text
    written = yaml.safe_load(text)
    assert written["config"]["small:queues"] == "6"
    assert written["secretsprovider"] == "awskms://alias/x"
    assert small.pulumi("config", "get", "token")[1].strip() == "s3cret"
    assert small.pulumi("config", "rm", "token")[0] == 0
    assert "token" not in small.file.read_text(encoding="utf-8")
    status, output = small.pulumi("up", "--yes")
    assert (status, len(small.cloud().all())) == (0, 6), output


def test_a_new_stack_gets_a_file_without_the_salt_and_works(small: Small) -> None:
    status, output = small.pulumi("stack", "init", "other", stack=False)
    assert status == 0, output
    assert "encryptionsalt" not in (small.project / "Pulumi.other.yaml").read_text(encoding="utf-8")
    status, output = small.pulumi("config", "set", "small:queues", "1", "-s", "other", stack=False)
    assert status == 0, output
    status, output = small.pulumi("up", "-ysother", stack=False)
    assert (status, len(small.cloud().all())) == (0, 1), output


def test_the_stack_of_make_env_is_meant_where_none_is_named(small: Small) -> None:
    small.env |= settings(small.project, small.sandbox, "dev")
    status, output = small.pulumi("preview", stack=False)
    assert status == 0, output
    assert "5 to create" in output or "+ 7 to create" in output, output


def test_a_stack_without_a_file_is_one_sentence(small: Small) -> None:
    status, output = small.pulumi("up", "--yes", "-s", "nowhere", stack=False)
    assert status == 1
    assert output.splitlines() == [
        "error: stack nowhere: there is no Pulumi.nowhere.yaml; write one, or name one of: dev"
    ]


@pytest.mark.parametrize("command", ["preview", "refresh", "destroy"])
def test_a_profile_that_there_is_not_is_one_sentence(small: Small, command: str) -> None:
    small.env["SANDBOX_PROFILE"] = "frsh"
    status, output = small.pulumi(command, *(["--yes"] if command != "preview" else []))
    words = "error: SANDBOX_PROFILE: 'frsh' is not allowed; expected one of fresh, used, raised"
    assert (status, output.splitlines()) == (2, [words])


@pytest.mark.parametrize(
    "command",
    [
        ("destroy", "--yes"),
        pytest.param(("down", "--yes", "--exclude-protected"), marks=pytest.mark.slow),
        pytest.param(("dn", "-y"), marks=pytest.mark.slow),
    ],
)
def test_a_destroy_of_what_is_protected_deletes_nothing(small: Small, command: tuple[str, ...]) -> None:
    small.configure('{"small:queues": 5, "small:safe": true}')
    assert small.pulumi("up", "--yes", "--skip-preview")[0] == 0
    state = json.loads(small.pulumi("stack", "export")[1])["deployment"]["resources"]
    status, output = small.pulumi(*command)
    assert status == 1
    assert output.count("\n") == 1
    assert "stack dev: 1 resources hold protected data (q4); nothing was deleted" in output
    assert len(small.cloud().all()) == 5
    assert json.loads(small.pulumi("stack", "export")[1])["deployment"]["resources"] == state
    status, output = small.pulumi("destroy", "--preview-only")
    assert "5 to delete" in output or "protected" in output, output  # a look is allowed


def test_a_state_that_cannot_be_read_is_no_reason_to_destroy(small: Small) -> None:
    assert small.pulumi("up", "--yes", "--skip-preview")[0] == 0
    state = next(Sandbox(small.sandbox).state.glob(".pulumi/stacks/*/dev.json"))
    state.write_text("{", encoding="utf-8")
    status, output = small.pulumi("destroy", "--yes", "--skip-preview")
    assert status == 1
    assert "its state cannot be read, so nothing was deleted" in output
    assert len(small.cloud().all()) == 5


def test_elsewhere_the_wrapper_is_the_real_one(small: Small, tmp_path: Path) -> None:
    """Another backend or another folder is none of the sandbox's business."""
    env = settings(small.project, small.sandbox)
    up = Call(("up", "--cwd", str(small.project)))
    assert in_project(up, env)
    assert not in_project(Call(("up", "-C", str(tmp_path))), env)
    assert not in_project(up, env | {"PULUMI_BACKEND_URL": "s3://theirs"})
    assert not in_project(up, {})


@pytest.mark.parametrize(
    ("args", "command"),
    [
        ("up --yes", "up"),
        ("--color never destroy -y", "destroy"),
        ("-C folder preview", "preview"),
        ("--non-interactive -v 3 refresh", "refresh"),
        ("--help", ""),
        ("", ""),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option(args: str, command: str) -> None:
    assert Call(tuple(args.split())).command == command
