from __future__ import annotations

import pytest

from microblog.kernel.sealing import Seal, SealBroken

OLD, NEW = "an old secret of the site, long enough", "a new secret of the site, long enough"


def test_what_is_sealed_can_be_opened_and_read_by_nobody_else() -> None:
    seal = Seal.of("this", NEW)
    sealed = seal.close(b"plain", "row 1")
    assert seal.open(sealed, "row 1") == b"plain"
    assert b"plain" not in sealed
    assert seal.close(b"plain", "row 1") != sealed


@pytest.mark.parametrize(
    ("seal", "about", "change"),
    [
        (Seal.of("this", NEW), "row 2", 0),
        (Seal.of("that", NEW), "row 1", 0),
        (Seal.of("this", OLD), "row 1", 0),
        (Seal.of("this", NEW), "row 1", 1),
    ],
)
def test_nothing_else_opens_it(seal: Seal, about: str, change: int) -> None:
    sealed = bytearray(Seal.of("this", NEW).close(b"plain", "row 1"))
    sealed[-1] ^= change
    with pytest.raises(SealBroken):
        seal.open(bytes(sealed), about)


def test_the_key_before_still_opens_while_keys_are_changed() -> None:
    sealed = Seal.of("this", OLD).close(b"plain", "row 1")
    assert Seal.of("this", NEW, OLD).open(sealed, "row 1") == b"plain"


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(12), bytes(40)])
def test_garbage_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal.of("this", NEW, "").open(sealed, "row 1")
