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
from heapq import heapify, heappop, heappush, heappushpop
from itertools import chain
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
_NOBODY = -1
"""Below every standing: a school that is not full turns nobody away."""


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
    # The standing of the last child held, once a school is full; what stands lower need not ask.
    last_held = [_NOBODY if capacity else _WORST for capacity in capacities]
    turned_away = bytearray(len(capacities))
    next_choice = [0] * len(choices)
    for newcomer in range(len(choices)):
        waiting = [newcomer]
        while waiting:
            pupil = waiting.pop()
            own = lottery[pupil]
            for position in range(next_choice[pupil], len(choices[pupil])):
                priority = priorities[pupil][position]
                if priority == NOT_BY_MATCHING:
                    continue
                school = choices[pupil][position]
                standing = _WORST - (priority << _LOTTERY_BITS | own)
                if standing < last_held[school]:
                    turned_away[school] = 1
                    continue
                next_choice[pupil] = position + 1
                heap = held[school]
                if len(heap) >= capacities[school]:
                    last = heappushpop(heap, standing << _PUPIL_BITS | pupil)
                    if heap[0] >> _PUPIL_BITS != last >> _PUPIL_BITS:
                        turned_away[school] = 1
                        waiting.append(last & _PUPIL_MASK)
                    elif rejected := _twins_to_reject(heap, last, capacities[school]):
                        turned_away[school] = 1
                        waiting += rejected
                    last_held[school] = heap[0] >> _PUPIL_BITS
                else:
                    heap.append(standing << _PUPIL_BITS | pupil)
                    if len(heap) == capacities[school]:
                        heapify(heap)
                        last_held[school] = heap[0] >> _PUPIL_BITS
                break
    return _result(held, turned_away, pupils=len(choices))


def _twins_to_reject(heap: list[int], last: int, capacity: int) -> list[int]:
    """`last` has just left the heap and its twin is still in it: both stay, one over capacity, or both go."""
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
    pupils = len(instance.choices)
    if not len(instance.priorities) == len(instance.lottery) == pupils <= _PUPIL_MASK:
        raise MalformedInstance("choices, priorities and lottery differ in length, or are over 2^22")
    if not _all_sound(instance):
        _refuse_first(instance)
    for school, capacity in enumerate(instance.capacities):
        if capacity < 0:
            raise MalformedInstance(f"school {school}: a negative capacity")
    _check_lottery(instance)


def _all_sound(instance: Instance) -> bool:
    """Whether every list is as it must be: looked at together, which takes a sixth of one by one."""
    choices, priorities = instance.choices, instance.priorities
    lengths = list(map(len, choices))
    return (
        lengths == list(map(len, priorities))
        and sum(map(len, map(set, choices))) == sum(lengths)
        and min(chain.from_iterable(choices), default=0) >= 0
        and max(chain.from_iterable(choices), default=-1) < len(instance.capacities)
        and min(chain.from_iterable(priorities), default=0) >= NOT_BY_MATCHING
        and max(chain.from_iterable(priorities), default=0) < 1 << 16
    )


def _refuse_first(instance: Instance) -> None:
    """Raises MalformedInstance for the first list that is not."""
    schools = len(instance.capacities)
    for pupil, (choices, priorities) in enumerate(zip(instance.choices, instance.priorities, strict=True)):
        if len(choices) != len(priorities):
            raise MalformedInstance(f"pupil {pupil}: one priority for each choice is needed")
        if len(set(choices)) != len(choices):
            raise MalformedInstance(f"pupil {pupil}: the same school twice")
        if choices and (min(choices) < 0 or max(choices) >= schools):
            raise MalformedInstance(f"pupil {pupil}: a school that does not exist")
        if priorities and (min(priorities) < NOT_BY_MATCHING or max(priorities) >= 1 << 16):
            raise MalformedInstance(f"pupil {pupil}: a priority outside 0..65535")


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
