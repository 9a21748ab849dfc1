"""The school places of a made-up province: one enrolment of all of it, its schools, and an accepted case for
each child, with the form and the answers of the registers that a family's own would hold."""

from services.school_places.scale.cases import CASES
from services.school_places.scale.ground import GROUND

LOADS = (*GROUND, *CASES)
