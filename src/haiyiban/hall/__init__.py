"""The hall (政务大屏): live figures for a screen in a service hall, kept as things happen.

docs/hall.md says what is counted, how, and what a public screen does not tell.
"""

from haiyiban.errors import Words
from haiyiban.hall import counting
from haiyiban.hall.controllers import HallController
from haiyiban.zone import Task, Zone

zone = Zone(
    name="hall",
    title=Words("政务大屏", "The hall"),
    controllers=(HallController,),
    tasks=(Task(name="hall.count", run=counting.count, schedule="* * * * * */5"),),
)

__all__ = ["zone"]
