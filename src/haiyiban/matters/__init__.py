"""Matters (事项): what people can apply for, as data, with its checks and its search.

A matter is one file in `schemas/matters/`; docs/add-a-matter.md says how to write one.
"""

from haiyiban.errors import Words
from haiyiban.matters.catalogue import Catalogue, catalogue
from haiyiban.matters.controllers import MattersController
from haiyiban.matters.desk_controllers import MattersDeskController
from haiyiban.matters.divisions_controller import DivisionsController
from haiyiban.matters.texts_controller import TextsController
from haiyiban.zone import Zone

zone = Zone(
    name="matters",
    title=Words("事项", "Matters"),
    controllers=(MattersController, MattersDeskController, TextsController, DivisionsController),
)

__all__ = ["Catalogue", "catalogue", "zone"]
