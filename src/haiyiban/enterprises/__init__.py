"""Enterprises as subjects (企业): who signs in for one, in which role, and what belongs to it.

An enterprise is a person in law, so cases, certificates and the audit know it as they know everybody; whoever
acts for it does so by a delegation of it. Source: docs/domain.md §1.3; docs/enterprises.md.
"""

from haiyiban.enterprises import tasks
from haiyiban.enterprises.about import WORDS, about
from haiyiban.enterprises.certificates_controller import EnterpriseCertificatesController
from haiyiban.enterprises.controllers import EnterprisesController
from haiyiban.enterprises.leaving import forget, in_the_way
from haiyiban.enterprises.models import Enterprise
from haiyiban.enterprises.register import NotInBusiness
from haiyiban.enterprises.signing_in import prove_again
from haiyiban.enterprises.terms import TERMS
from haiyiban.errors import Words
from haiyiban.zone import Task, Zone

zone = Zone(
    name="enterprises",
    title=Words("企业", "Enterprises"),
    controllers=(EnterprisesController, EnterpriseCertificatesController),
    tasks=(Task(name="enterprises.recheck", run=tasks.recheck, schedule="*/10 * * * *"),),
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["Enterprise", "NotInBusiness", "prove_again", "zone"]
