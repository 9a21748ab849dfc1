"""Unemployment benefit (失业保险金): the estimate, the application and the grant.

Source: docs/domain.md §7; docs/unemployment.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.unemployment.controllers import UnemploymentController
from services.unemployment.handler import UnemploymentBenefitHandler

zone = Zone(
    name="unemployment",
    title=Words("失业保险", "Unemployment benefit"),
    controllers=(UnemploymentController,),
    handlers={"employment.unemployment-benefit": UnemploymentBenefitHandler()},
)

__all__ = ["zone"]
