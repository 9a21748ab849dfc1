"""Large publications, carried out by the worker."""

from haiyiban.zone import Task
from services.school_places.service import publication

TASKS = (
    Task(name=publication.TASK, run=publication.carry_out),
    Task(name="school-places.resume-publication", run=publication.resume, schedule="* * * * *"),
)
