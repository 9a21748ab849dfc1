"""The hash tree, against published vectors and against a tree written as the RFC defines it."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.audit import merkle
from haiyiban.audit.merkle import Place, Range, Tree, is_extended, is_included, leaf_hash, node_of

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves that the first implementations of RFC 6962 are tested with (certificate-transparency, MIT)."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the first leaf, the first two, and so on."""


def naive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + naive(leaves[:half]) + naive(leaves[half:])).digest()


def naive_path(number: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if number < half:
        return [*naive_path(number, leaves[:half]), naive(leaves[half:])]
    return [*naive_path(number - half, leaves[half:]), naive(leaves[:half])]


def naive_proof(old: int, leaves: list[bytes], *, begins_both: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if begins_both else [naive(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if old <= half:
        return [*naive_proof(old, leaves[:half], begins_both=begins_both), naive(leaves[half:])]
    return [*naive_proof(old - half, leaves[half:], begins_both=False), naive(leaves[:half])]


def grown(leaves: list[bytes], cuts: list[int]) -> tuple[Tree, dict[Place, bytes]]:
    """A tree that was appended to in portions, each time read again from its tiles, as the sealer does."""
    tree, tiles = Tree(), dict[Place, bytes]()
    for first, past in zip([0, *cuts], [*cuts, len(leaves)], strict=True):
        tree = Tree(tree.size, tiles)
        tiles |= tree.append([leaf_hash(leaf) for leaf in leaves[first:past]])
    return tree, tiles


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_published_vectors(count: int) -> None:
    tree, _ = grown(LEAVES[:count], [])
    assert tree.root().hex() == ROOTS[count - 1] == naive(LEAVES[:count]).hex()


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert Tree().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_consistency_proof_is_that_of_the_published_vectors() -> None:
    """From 1 leaf to 8, and from 6 to 8."""
    _, tiles = grown(LEAVES, [])
    node = node_of(tiles)
    one_to_eight = [merkle.range_hash(each, node).hex() for each in merkle.consistency(1, 8)]
    assert one_to_eight == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    six_to_eight = [merkle.range_hash(each, node).hex() for each in merkle.consistency(6, 8)]
    assert six_to_eight == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.data())
def test_a_tree_proves_what_the_naive_tree_proves(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 600))
    leaves = [number.to_bytes(4) for number in range(count)]
    cuts = sorted(data.draw(st.lists(st.integers(0, count), max_size=4)))
    tree, tiles = grown(leaves, cuts)
    assert tree.root() == naive(leaves)
    number, old = data.draw(st.integers(0, count - 1)), data.draw(st.integers(1, count))
    node = node_of({place: tiles[place] for place in merkle.places(merkle.inclusion(number, count))})
    path = [merkle.range_hash(each, node) for each in merkle.inclusion(number, count)]
    assert path == naive_path(number, leaves)
    assert is_included(leaf_hash(leaves[number]), number, count, path, tree.root())
    node = node_of({place: tiles[place] for place in merkle.places(merkle.consistency(old, count))})
    proof = [merkle.range_hash(each, node) for each in merkle.consistency(old, count)]
    assert proof == naive_proof(old, leaves)
    assert is_extended(old, naive(leaves[:old]), count, tree.root(), proof)
    _nothing_else_is_proved(data, leaves, number, path, tree.root())
    spoilt = [*proof]
    if spoilt:
        spoilt[data.draw(st.integers(0, len(proof) - 1))] = b"\x00" * 32
        assert not is_extended(old, naive(leaves[:old]), count, tree.root(), spoilt)
    assert not is_extended(old, b"\x01" * 32, count, tree.root(), proof)
    assert not is_extended(old, naive(leaves[:old]), count, tree.root(), [*proof, b"\x00" * 32])


def _nothing_else_is_proved(
    data: st.DataObject, leaves: list[bytes], number: int, path: list[bytes], root: bytes
) -> None:
    count, leaf = len(leaves), leaf_hash(leaves[number])
    other = data.draw(st.integers(0, count + 1).filter(lambda each: each != number))
    assert not is_included(leaf, other, count, path, root)
    assert not is_included(leaf_hash(b"other"), number, count, path, root)
    assert not is_included(leaf, number, count, [*path, b"\x00" * 32], root)
    if path:
        assert not is_included(leaf, number, count, path[:-1], root)
        at = data.draw(st.integers(0, len(path) - 1))
        assert not is_included(leaf, number, count, [*path[:at], b"\x00" * 32, *path[at + 1 :]], root)


def test_a_tree_of_three_levels_of_tiles_proves_its_leaves() -> None:
    """70,000 leaves: tiles of tiles are full and made use of."""
    leaves = [number.to_bytes(4) for number in range(70_000)]
    tree, tiles = grown(leaves, [65_535, 65_537])
    assert tree.root() == naive(leaves)
    assert len(tiles[Place(1, 0)]) == 256 * 32
    for number in random.Random(6).sample(range(70_000), 50):
        ranges = merkle.inclusion(number, 70_000)
        needed = {place: tiles[place] for place in merkle.places(ranges)}
        assert len(needed) < 7, "a proof reads a few tiles and not the tree"
        path = [merkle.range_hash(each, node_of(needed)) for each in ranges]
        assert is_included(leaf_hash(leaves[number]), number, 70_000, path, tree.root())


def test_a_tree_is_not_made_of_tiles_that_are_too_short() -> None:
    """Else an inner hash could be passed off as a leaf's."""
    tree, tiles = grown(LEAVES[:2], [])
    for spoilt in ({}, {Place(0, 0): tiles[Place(0, 0)][:32]}, {Place(0, 0): tree.root()}):
        with pytest.raises(KeyError):
            Tree(2, spoilt)
    with pytest.raises(KeyError):
        merkle.range_hash(Range(0, 2), node_of({Place(0, 0): tree.root()}))
