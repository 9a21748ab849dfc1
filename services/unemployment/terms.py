"""How long the fund's records are kept."""

from __future__ import annotations

from haiyiban.errors import Words
from haiyiban.terms import Term
from services.unemployment.models import BankAccount, Batch, Declaration, Grant, Move, Payment, Recovery

TERMS = (
    Term(
        data_class="unemployment.grants",
        what=Words("失业保险待遇、发放和转移", "Unemployment benefit: grants, payments, moves"),
        tables=(Grant, Declaration, Payment, Batch, Move, Recovery),
        kept=Words(
            "会计凭证 30 年、银行对账单 10 年，由经办机构处置",
            "30 years as vouchers of accounts, 10 as bank statements; the fund's office disposes of them",
        ),
        why=Words(
            "社会保险个人权益记录和基金会计档案依法保存（社会保险法 第74条；会计档案管理办法 附表）",
            "Records of social insurance and the fund's accounts are kept by law (Social Insurance Law, art. "
            "74; Measures on Accounting Archives)",
        ),
    ),
    Term(
        data_class="unemployment.bank-accounts",
        what=Words("收款银行账号（加密）", "The account that benefit is paid to, sealed"),
        tables=(BankAccount,),
        kept=Words("至本人更换或注销账号", "until the person gives another or closes their account"),
        why=Words("发放所需（个人信息保护法 第29条、第47条）", "Benefit is paid to it (PIPL, art. 29, 47)"),
    ),
)
