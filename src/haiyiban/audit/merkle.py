"""The hash tree over the audit's records: grown at its end, proved by a few hashes.

Whoever knows the root of a tree can check with some twenty hashes that one record of a million is in it, and
that a later tree only added to it. Pure: no database, no clock.

A log keeps the hash that it began with, SHA-256 or SM3 (docs/audit.md).

Source: RFC 6962 §2.1 (hashing and proofs), RFC 9162 §2.1.3.2 and §2.1.4.2 (checking them); the tiles are
those of C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from haiyiban.signatures import Hash, sha256

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

Node = Callable[[int, int], bytes]
"""Given height and number: the hash of the complete subtree of 2^height leaves from number * 2^height on."""


class Range(NamedTuple):
    """Leaves `first` up to but not with `past`."""

    first: int
    past: int


class Place(NamedTuple):
    """Where a tile stands: level 0 holds hashes of leaves, each level above one hash for each full tile."""

    level: int
    number: int


class Tree:
    """A tree that grows. It keeps of each level only the tile that is not full yet."""

    def __init__(
        self, size: int = 0, tiles: Mapping[Place, bytes] | None = None, *, hashed: Hash = sha256
    ) -> None:
        """A tree of `size` leaves, of which `unfinished(size)` names the tiles needed.

        Raises KeyError for a tile that is missing or too short.
        """
        self.size = size
        self._hashed = hashed
        self._held: list[list[bytes]] = []
        for place, count in unfinished(size):
            held = split((tiles or {})[place][: count * HASH_BYTES]) if count else []
            if len(held) != count or any(len(each) != HASH_BYTES for each in held):
                raise KeyError(place)
            self._held.append(held)

    def append(self, hashes: Sequence[bytes]) -> dict[Place, bytes]:
        """Add leaves by their hashes. The tiles that changed: those that are full now, and the last ones."""
        changed: dict[Place, bytes] = {}
        self._grow(0, hashes, changed)
        self.size += len(hashes)
        for (place, _), held in zip(unfinished(self.size), self._held, strict=True):
            if held:
                changed[place] = b"".join(held)
        return changed

    def root(self) -> bytes:
        """The hash that stands for all leaves."""
        subtrees: list[bytes] = []
        for held in reversed(self._held):
            at = 0
            for height in reversed(range(TILE_HEIGHT)):
                if len(held) >> height & 1:
                    subtrees.append(_fold(held[at : at + (1 << height)], self._hashed))
                    at += 1 << height
        if not subtrees:
            return self._hashed(b"")
        root = subtrees.pop()
        while subtrees:
            root = node_hash(subtrees.pop(), root, self._hashed)
        return root

    def _grow(self, level: int, hashes: Sequence[bytes], changed: dict[Place, bytes]) -> None:
        if level == len(self._held):
            self._held.append([])
        held = [*self._held[level], *hashes]
        first = self.size >> TILE_HEIGHT * (level + 1)
        above = []
        for full in range(len(held) // TILE_WIDTH):
            tile = held[full * TILE_WIDTH : (full + 1) * TILE_WIDTH]
            changed[Place(level, first + full)] = b"".join(tile)
            above.append(_fold(tile, self._hashed))
        self._held[level] = held[len(above) * TILE_WIDTH :]
        if above:
            self._grow(level + 1, above, changed)


def unfinished(size: int) -> list[tuple[Place, int]]:
    """The last tile of each level of a tree, from the leaves up, and how many hashes it holds yet."""
    found, level = [], 0
    while level == 0 or size >> TILE_HEIGHT * level:
        entries = size >> TILE_HEIGHT * level
        found.append((Place(level, entries >> TILE_HEIGHT), entries % TILE_WIDTH))
        level += 1
    return found


def leaf_hash(entry: bytes, hashed: Hash = sha256) -> bytes:
    """The hash of a leaf."""
    return hashed(b"\0" + entry)


def node_hash(left: bytes, right: bytes, hashed: Hash = sha256) -> bytes:
    """The hash of two subtrees together."""
    return hashed(b"\1" + left + right)


def inclusion(number: int, size: int) -> list[Range]:
    """The subtrees whose hashes prove that leaf `number` is in the tree of `size` leaves, nearest first."""
    first, past, path = 0, size, []
    while past - first > 1:
        middle = first + _half(past - first)
        if number < middle:
            path.append(Range(middle, past))
            past = middle
        else:
            path.append(Range(first, middle))
            first = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """The subtrees whose hashes prove that the tree of `new` leaves begins with that of `old` (1 or more)."""
    first, past, path, begins_both = 0, new, [], True
    while old != past:
        middle = first + _half(past - first)
        if old <= middle:
            path.append(Range(middle, past))
            past = middle
        else:
            path.append(Range(first, middle))
            first, begins_both = middle, False
    if not begins_both:
        path.append(Range(first, past))
    return path[::-1]


def range_hash(leaves: Range, node: Node, hashed: Hash = sha256) -> bytes:
    """The hash of one of the subtrees above."""
    count = leaves.past - leaves.first
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, leaves.first >> height)
    middle = leaves.first + _half(count)
    return node_hash(
        range_hash(Range(leaves.first, middle), node, hashed),
        range_hash(Range(middle, leaves.past), node, hashed),
        hashed,
    )


def node_of(tiles: Mapping[Place, bytes], hashed: Hash = sha256) -> Node:
    """Nodes out of tiles. A tile that is missing or too short raises KeyError."""

    def node(height: int, number: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        entry = number << above
        place, at = Place(level, entry >> TILE_HEIGHT), entry % TILE_WIDTH * HASH_BYTES
        hashes = split(tiles[place][at : at + (HASH_BYTES << above)])
        if len(hashes) != 1 << above:
            raise KeyError(place)
        return _fold(hashes, hashed)

    return node


def places(ranges: Iterable[Range]) -> set[Place]:
    """The tiles out of which the hashes of ranges are made."""
    found: set[Place] = set()

    def note(height: int, number: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        found.add(Place(level, number << above >> TILE_HEIGHT))
        return b""

    for leaves in ranges:
        range_hash(leaves, note)
    return found


def is_included(
    leaf: bytes, number: int, size: int, path: Sequence[bytes], root: bytes, hashed: Hash = sha256
) -> bool:
    """Whether a path proves that the leaf with this hash is number `number` of the tree with this root."""
    if not 0 <= number < size:
        return False
    at, last, made = number, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            made = node_hash(each, made, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, each, hashed)
        at, last = at >> 1, last >> 1
    return last == 0 and made == root


def is_extended(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes], hashed: Hash = sha256
) -> bool:
    """Whether a path proves that the newer tree begins with the older one."""
    if not 0 < old <= new:
        return old == 0 and not path and old_root == hashed(b"")
    if old == new:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    made_old = made_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            made_old, made_new = node_hash(each, made_old, hashed), node_hash(each, made_new, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made_new = node_hash(made_new, each, hashed)
        at, last = at >> 1, last >> 1
    return last == 0 and made_old == old_root and made_new == new_root


def _half(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _fold(hashes: Sequence[bytes], hashed: Hash) -> bytes:
    """The hash of a complete subtree: the hashes are two to some power."""
    while len(hashes) > 1:
        hashes = [hashed(b"\1" + left + right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def split(joined: bytes) -> list[bytes]:
    """Hashes that were written one after the other."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
