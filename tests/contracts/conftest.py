"""The flows that the contracts look at go through the zone's own fixtures."""

from tests.contracts.callers import tokens
from tests.kernel.codes.conftest import accredit
from tests.web.conftest import site
from tests.zones.school_places.conftest import make_round, sign_in_staff

__all__ = ["accredit", "make_round", "sign_in_staff", "site", "tokens"]
