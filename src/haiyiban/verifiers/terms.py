"""How long is kept who tried one-time codes of terminals."""

from __future__ import annotations

from haiyiban.errors import Words
from haiyiban.terms import Ending, Term
from haiyiban.verifiers.models import TerminalCodeFailure
from haiyiban.verifiers.terminal_enrolment import TRIES_WITHIN

TERMS = (
    Term(
        data_class="verifiers.code-failures",
        what=Words(
            "终端一次性码输错记录（网络地址的哈希）", "Wrong codes of terminals, by a hash of the address"
        ),
        tables=(TerminalCodeFailure,),
        kept=Words("输错后 1 小时", "1 hour after the code was wrong"),
        why=Words(
            "次数限制不再看它（个人信息保护法 第19条）", "No limit looks at it any more (PIPL, art. 19)"
        ),
        ending=Ending(
            table=TerminalCodeFailure, since=TerminalCodeFailure.at, after=TRIES_WITHIN, every=TRIES_WITHIN
        ),
    ),
)
