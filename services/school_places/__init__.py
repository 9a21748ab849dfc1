"""School places (学位申请): a first-grade place for every child, by rules that every family can check.

An application is a case of the matter education.school-place; what is this zone's own is who may apply, how
each school ranks a child, the public draw, and who gets which place.
Source: docs/domain.md §6, §11; docs/school-places.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.school_places import commands
from services.school_places.about import WORDS, about
from services.school_places.afterwards_controllers import OffersController, PlacementsController
from services.school_places.afterwards_desk_controllers import AfterwardsController
from services.school_places.appeal_controllers import AppealsController
from services.school_places.controllers import SchoolPlacesController
from services.school_places.draw_page import DrawPageController
from services.school_places.handler import SchoolPlaceHandler
from services.school_places.leaving import forget, in_the_way
from services.school_places.publication_tasks import TASKS as PUBLICATION_TASKS
from services.school_places.run_controllers import AllocationRunsController
from services.school_places.scale import LOADS
from services.school_places.seed import seed
from services.school_places.tasks import TASKS
from services.school_places.terms import TERMS

zone = Zone(
    name="school-places",
    title=Words("学位申请", "School places"),
    controllers=(
        SchoolPlacesController,
        AllocationRunsController,
        PlacementsController,
        OffersController,
        AfterwardsController,
        AppealsController,
    ),
    pages=(DrawPageController,),
    handlers={"education.school-place": SchoolPlaceHandler()},
    tasks=(*TASKS, *PUBLICATION_TASKS),
    seed=seed,
    scale=LOADS,
    commands=(commands.draw,),
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["zone"]
