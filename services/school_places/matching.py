"""Who gets a place at which school: student-proposing deferred acceptance (延迟接受匹配).

Every child asks the schools of its list in its own order. A school keeps the best of all who asked so far
and sends the others on to their next choice. What comes out is stable (no child and school would both
rather have each other), the best stable outcome for every child at once, and independent of the order in
which children are asked.

**Twins at the cut.** A school with `q` seats keeps a child exactly when fewer than `q` of the children it
holds stand *strictly* better. Only twins can stand equal, because everybody else has a lottery number of
their own. So when one seat is left for twins of equal priority, both get in and the school goes one over
capacity (triplets: up to two over); when none is left, neither does. This choice is substitutable and
consistent, which is why all of the above still holds, and since everybody turned away stands behind every
child who got in, the seat on top takes nothing from anybody. One cost is accepted: a better child may push
out both twins at once, so with twins exactly at a cut the proof that nobody can gain by a false list does
not apply; without them it does.

Source: docs/domain.md §6.2 (twins, classes), §6.3 (vectors); Gale and Shapley 1962; for the twin seat the
"L-stable" score limits of Biró and Kiselgof 2015. Cost: O(choices · log capacity).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heappushpop
from typing import NamedTuple

UNPLACED = -1
"""In a result: no school of the list had a seat; the child goes to 统筹 (coordinated placement)."""
NOT_BY_MATCHING = -1
"""As a priority: this child may never be matched to this school (class 6, placed only by 统筹)."""

_PUPIL_BITS = 22
_LOTTERY_BITS = 22
_PUPIL_MASK = (1 << _PUPIL_BITS) - 1
_WORST = 1 << (16 + _LOTTERY_BITS)
"""Above every standing. With priorities below 2^16 a heap entry has 60 bits, which Python adds fastest."""


class MalformedInstance(ValueError):
    """The input cannot be matched: the message names the first pupil or school that is wrong."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The whole input of one matching; pupils and schools are positions in these lists.

    `choices[p]` ranks schools, best first; `priorities[p]` says how each of them ranks `p` (lower wins,
    `NOT_BY_MATCHING` = never); `lottery[p]` is shared by twins and by nobody else; `twins` lists the groups.
    """

    choices: Sequence[Sequence[int]]
    priorities: Sequence[Sequence[int]]
    lottery: Sequence[int]
    twins: Sequence[Sequence[int]]
    capacities: Sequence[int]


class Cutoff(NamedTuple):
    """The last standing that a school which turned somebody away still took."""

    priority: int
    lottery: int


@dataclass(frozen=True, slots=True)
class Result:
    """`placements[p]`: a school or `UNPLACED`; `cutoffs[s]`: None where everybody who asked got in, and
    where a school without a seat took nobody."""

    placements: list[int]
    cutoffs: list[Cutoff | None]


def match(instance: Instance) -> Result:
    """The student-optimal stable placement. Raises MalformedInstance."""
    check(instance)
    choices, priorities, lottery = instance.choices, instance.priorities, instance.lottery
    capacities = instance.capacities
    held: list[list[int]] = [[] for _ in capacities]
    turned_away = bytearray(len(capacities))
    next_choice = [0] * len(choices)
    waiting = list(range(len(choices) - 1, -1, -1))
    while waiting:
        pupil = waiting.pop()
        position = next_choice[pupil]
        if position == len(choices[pupil]):
            continue
        next_choice[pupil] = position + 1
        school, priority = choices[pupil][position], priorities[pupil][position]
        if priority == NOT_BY_MATCHING:
            waiting.append(pupil)
            continue
        heap = held[school]
        standing = _WORST - (priority << _LOTTERY_BITS | lottery[pupil])
        if len(heap) < capacities[school]:
            heappush(heap, standing << _PUPIL_BITS | pupil)
        elif not heap or standing < heap[0] >> _PUPIL_BITS:
            turned_away[school] = 1
            waiting.append(pupil)
        else:
            rejected = _make_room(heap, standing << _PUPIL_BITS | pupil, capacities[school])
            if rejected:
                turned_away[school] = 1
                waiting += rejected
    return _result(held, turned_away, pupils=len(choices))


def _make_room(heap: list[int], entry: int, capacity: int) -> list[int]:
    """Take one more child into a full school; the children who lose their seat by it.

    The heap's top is the child who stands last, together with its twin, if both are held.
    """
    last = heappushpop(heap, entry)
    if heap[0] >> _PUPIL_BITS != last >> _PUPIL_BITS:
        return [last & _PUPIL_MASK]
    equal = [last]
    while heap and heap[0] >> _PUPIL_BITS == last >> _PUPIL_BITS:
        equal.append(heappop(heap))
    if len(heap) >= capacity:
        return [entry & _PUPIL_MASK for entry in equal]
    for entry in equal:
        heappush(heap, entry)
    return []


def _result(held: list[list[int]], turned_away: bytearray, *, pupils: int) -> Result:
    placements = [UNPLACED] * pupils
    cutoffs: list[Cutoff | None] = [None] * len(held)
    for school, heap in enumerate(held):
        for entry in heap:
            placements[entry & _PUPIL_MASK] = school
        if turned_away[school] and heap:
            standing = _WORST - (heap[0] >> _PUPIL_BITS)
            cutoffs[school] = Cutoff(standing >> _LOTTERY_BITS, standing & ((1 << _LOTTERY_BITS) - 1))
    return Result(placements, cutoffs)


def check(instance: Instance) -> None:
    """Refuse an input whose outcome would not be defined. Raises MalformedInstance."""
    pupils, schools = len(instance.choices), len(instance.capacities)
    if not len(instance.priorities) == len(instance.lottery) == pupils <= _PUPIL_MASK:
        raise MalformedInstance("choices, priorities and lottery differ in length, or are over 2^22")
    for pupil, (choices, priorities) in enumerate(zip(instance.choices, instance.priorities, strict=True)):
        if len(choices) != len(priorities):
            raise MalformedInstance(f"pupil {pupil}: one priority for each choice is needed")
        if len(set(choices)) != len(choices):
            raise MalformedInstance(f"pupil {pupil}: the same school twice")
        if choices and (min(choices) < 0 or max(choices) >= schools):
            raise MalformedInstance(f"pupil {pupil}: a school that does not exist")
        if priorities and (min(priorities) < NOT_BY_MATCHING or max(priorities) >= 1 << 16):
            raise MalformedInstance(f"pupil {pupil}: a priority outside 0..65535")
    for school, capacity in enumerate(instance.capacities):
        if capacity < 0:
            raise MalformedInstance(f"school {school}: a negative capacity")
    _check_lottery(instance)


def _check_lottery(instance: Instance) -> None:
    group_of = list(range(len(instance.lottery)))
    grouped: set[int] = set()
    for group in instance.twins:
        if len(group) < 2 or not all(0 <= pupil < len(group_of) for pupil in group):
            raise MalformedInstance("a twin group needs two pupils or more, all of this roll")
        if not grouped.isdisjoint(group) or len(set(group)) != len(group):
            raise MalformedInstance(f"pupil {group[0]}: in a twin group more than once")
        grouped.update(group)
        for pupil in group:
            group_of[pupil] = group[0]
    holder: dict[int, int] = {}
    for pupil, number in enumerate(instance.lottery):
        if not 0 <= number < 1 << _LOTTERY_BITS:
            raise MalformedInstance(f"pupil {pupil}: a lottery number outside 0..2^22-1")
        if holder.setdefault(number, group_of[pupil]) != group_of[pupil]:
            raise MalformedInstance(f"pupil {pupil}: the lottery number of another child")
    if len(holder) != len(set(group_of)):
        raise MalformedInstance("twins do not share one lottery number")
