import pytest

from testbed.errors import BadInput
from testbed.rehearsal.external_dns_upgrade import check_upgrade


@pytest.mark.parametrize("release", ["", "v0.21.0"])
def test_an_emulation_becomes_another_release(release: str) -> None:
    check_upgrade(release, "", is_open=False)


@pytest.mark.parametrize(
    ("release", "binary", "is_open", "words"),
    [
        ("v0.21.0", "./external-dns", False, "the run plays ./external-dns, which cannot become another"),
        ("v0.21.0", "", True, "you start ExternalDNS, so the run cannot replace it"),
        ("./external-dns", "", False, "./external-dns is no release"),
        ("external-dns:v0.21.0", "", False, "external-dns:v0.21.0 is no release"),
    ],
)
def test_a_file_is_one_release_and_takes_no_place(
    release: str, binary: str, is_open: bool, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        check_upgrade(release, binary, is_open=is_open)
