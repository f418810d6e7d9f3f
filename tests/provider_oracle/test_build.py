"""How the oracle is built, and what is said where it cannot be."""

import shutil
from pathlib import Path

import pytest

from tests.devtools.test_cli import put_go_on_path
from tests.provider_oracle.build import SOURCES, OracleError, built_oracle, digest


def test_a_failed_build_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_TOOLS_DIR", str(tmp_path / "tools"))
    put_go_on_path(tmp_path, monkeypatch)
    with pytest.raises(OracleError, match=r"could not be built \(no route to modules\).* run the same"):
        built_oracle()
    assert not list((tmp_path / "tools" / "oracle").glob("pulumi-resource-oracle-*"))


def test_an_edit_of_the_sources_is_another_program(tmp_path: Path) -> None:
    copy = tmp_path / "provider"
    shutil.copytree(SOURCES, copy)
    assert digest(copy) == digest()
    (copy / "cloud.go").write_text("package main\n", encoding="utf-8")
    assert digest(copy) != digest()


def test_the_bridge_and_its_sdk_are_pinned_together() -> None:
    """The bridge works with its own copy of terraform-plugin-sdk only; its go.mod names which."""
    text = (SOURCES / "go.mod").read_text(encoding="utf-8")
    assert "github.com/pulumi/pulumi-terraform-bridge/v3 v3.120.0" in text
    assert (
        "replace github.com/hashicorp/terraform-plugin-sdk/v2 => github.com/pulumi/terraform-plugin-sdk/v2"
        " v2.0.0-20250923233607-7f1981c8674a" in text
    )
