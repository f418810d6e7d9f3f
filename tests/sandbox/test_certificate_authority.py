"""The root of the sandbox's own certificates: one, however many ask for it at once."""

import threading
from pathlib import Path

import pytest

from sandbox.data_plane import certificate_authority
from sandbox.data_plane.certificate_authority import CertificateAuthority

AT_ONCE = 8


def test_all_who_start_together_agree_on_one_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several databases are made at once, and each trusts the root: all meet before anybody keeps one."""
    met, make = threading.Barrier(AT_ONCE), certificate_authority.sign_certificate

    def late(*args, **kwargs):
        made = make(*args, **kwargs)
        met.wait()
        return made

    monkeypatch.setattr(certificate_authority, "sign_certificate", late)
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.append(CertificateAuthority(tmp_path / "ca").pem))
        for _ in range(AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = (tmp_path / "ca" / "root.pem").read_text()
    assert seen == [kept] * AT_ONCE
    assert sorted(p.name for p in (tmp_path / "ca").iterdir()) == ["root.key", "root.pem"]
    assert (tmp_path / "ca" / "root.key").stat().st_mode & 0o077 == 0
