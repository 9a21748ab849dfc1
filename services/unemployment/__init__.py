"""Unemployment benefit (失业保险金): would I get it, for how long and how much.

So far the estimate, from the registers and without an application.
Source: docs/domain.md §7; docs/unemployment.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.unemployment.controllers import UnemploymentController

zone = Zone(
    name="unemployment",
    title=Words("失业保险", "Unemployment benefit"),
    controllers=(UnemploymentController,),
)

__all__ = ["zone"]
