"""Every text that is sent to people, by event. No full name, no document number, no address.

`number` is the case number (办件编号), `matter` the matter's title in the reader's language or in Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from haiyiban.errors import Words

SIGNATURE = Words("【海易办】", "[Haiyiban] ")

TEMPLATES: Mapping[str, Words] = {
    "identity.sms-code": Words(
        "您的验证码是 {code}，{minutes} 分钟内有效。不要告诉任何人，工作人员也不会向您索要。",
        "Your code is {code}, valid for {minutes} minutes. Tell it to nobody; our staff never ask for it.",
    ),
    "identity.person-moved": Words(
        "您的实名身份已在另一个账号通过刷脸核验，本账号已退出登录。如非本人操作，请立即到政务服务大厅核实。",
        "Your identity was confirmed by face on another account; this account is signed out. "
        "If that was not you, please go to a service hall at once.",
    ),
    "identity.wechat-linked": Words(
        "您的账号已可用微信登录。如非本人操作，请立即登录海易办解除绑定，并到政务服务大厅核实。",
        "Your account can now be signed in to with WeChat. If that was not you, sign in and remove it at "
        "once, and go to a service hall.",
    ),
    "identity.phone-changed": Words(
        "您的账号已改用另一个手机号码登录。如非本人操作，请立即到政务服务大厅核实。",
        "Your account is now signed in to with another phone number. If that was not you, please go to a "
        "service hall at once.",
    ),
    "health-code.corrected": Words(
        "您对健康码的申诉已核实，健康码已更正，有效至 {until}。请登录海易办查看。",
        "Your appeal about the health code was upheld and the code corrected, until {until}. See Haiyiban.",
    ),
    "health-code.appeal-refused": Words(
        "您对健康码的申诉未获支持，理由请登录海易办查看；如有异议请拨打 12345。就医不受影响。",
        "Your appeal about the health code was refused; read why in Haiyiban, or call 12345. Medical care "
        "stays open to you.",
    ),
    "health-code.appointment": Words(
        "提醒：您预约了 {at} 在{site}接种疫苗，请携带身份证件。不能前往的请登录海易办取消。",
        "Reminder: your vaccination is on {at} at {site}. Bring your identity document; cancel in Haiyiban "
        "if you cannot come.",
    ),
    "unemployment.declare": Words(
        "请登录海易办确认 {month} 仍在失业并求职，确认后发放当月失业保险金。",
        "Please confirm in Haiyiban that you are still out of work and seeking in {month}; the benefit is "
        "paid after that.",
    ),
    "unemployment.give-account": Words(
        "{month} 的失业保险金还没有收款账户。请登录海易办填写本人银行卡号。",
        "There is no account for the benefit of {month} yet. Please give the number of your own bank card in "
        "Haiyiban.",
    ),
    "unemployment.suspended": Words(
        "您的失业保险金已暂停：登记数据显示情况有变。如有异议，请在 {until} 前登录海易办提出。",
        "Your unemployment benefit is suspended, because the registers say that something has changed. "
        "Object in Haiyiban until {until} if that is wrong.",
    ),
    "unemployment.resumed": Words(
        "您提出的异议成立，失业保险金恢复发放。",
        "Your objection holds; the unemployment benefit is paid again.",
    ),
    "unemployment.stopped": Words(
        "您的失业保险金已停发，原因和后续办理请登录海易办查看。剩余月数保留。",
        "Your unemployment benefit has ended; see why and what follows in Haiyiban. Months left are kept.",
    ),
    "unemployment.moved": Words(
        "您的失业保险关系已转往{place}，剩余待遇随之划转；后续请向转入地办理。",
        "Your unemployment insurance has moved to {place}, with what was left of the benefit; go on there.",
    ),
    "unemployment.returned": Words(
        "{month} 的失业保险金被银行退回，请登录海易办更正本人银行卡号，更正后补发。",
        "The bank gave the benefit of {month} back. Please correct your card number in Haiyiban; it is then "
        "paid again.",
    ),
    "cases.submitted": Words(
        "您的「{matter}」申请已提交，办件编号 {number}。受理结果会短信告知您。",
        "Your application for {matter} was submitted; number {number}. We will tell you when it is accepted.",
    ),
    "cases.accepted": Words(
        "您的「{matter}」申请（{number}）已受理，承诺 {due} 前办结。",
        "Your application for {matter} ({number}) was accepted; it will be decided by {due}.",
    ),
    "cases.correction-requested": Words(
        "您的「{matter}」申请（{number}）需要补正，请在 {due} 前登录查看要补的全部内容"
        "并重新提交，逾期视为放弃。",
        "Your application for {matter} ({number}) needs corrections. Sign in to see all of them and submit "
        "again by {due}, or it lapses.",
    ),
    "cases.refused": Words(
        "您的「{matter}」申请（{number}）未予受理，原因和您可以怎么办请登录查看。",
        "Your application for {matter} ({number}) was not accepted. Sign in to read why and what you can do.",
    ),
    "cases.suspended": Words(
        "您的「{matter}」申请（{number}）进入特别程序，办理时限暂停计算，原因请登录查看。",
        "Your application for {matter} ({number}) is in a special procedure; its time limit stands still. "
        "Sign in to read why.",
    ),
    "cases.resumed": Words(
        "您的「{matter}」申请（{number}）已恢复办理，承诺 {due} 前办结。",
        "Your application for {matter} ({number}) goes on; it will be decided by {due}.",
    ),
    "cases.extended": Words(
        "您的「{matter}」申请（{number}）已依法延长办理期限至 {due}，理由请登录查看。",
        "The time limit of your application for {matter} ({number}) was extended to {due}. "
        "Sign in to read why.",
    ),
    "cases.transferred": Words(
        "您的「{matter}」申请（{number}）已转交有权办理的部门，您无需再次提交。",
        "Your application for {matter} ({number}) was passed to the agency in charge; you need do nothing.",
    ),
    "cases.approved": Words(
        "您的「{matter}」申请（{number}）已通过，结果请登录查看。",
        "Your application for {matter} ({number}) was approved. Sign in to see the outcome.",
    ),
    "cases.denied": Words(
        "您的「{matter}」申请（{number}）未获通过，理由和救济途径请登录查看。",
        "Your application for {matter} ({number}) was denied. Sign in to read why and how to appeal.",
    ),
    "cases.lapsed": Words(
        "您的「{matter}」申请（{number}）逾期未补正，已办结。您可以重新申请。",
        "Your application for {matter} ({number}) lapsed without corrections. You may apply again.",
    ),
    "cases.withdrawn": Words(
        "您的「{matter}」申请（{number}）已撤回。您可以重新申请。",
        "Your application for {matter} ({number}) was withdrawn. You may apply again.",
    ),
    "cases.terminated": Words(
        "您的「{matter}」申请（{number}）已终止办理，原因请登录查看。",
        "Your application for {matter} ({number}) was terminated. Sign in to read why.",
    ),
    "cases.closed": Words(
        "您的「{matter}」申请（{number}）已办结。欢迎登录评价本次服务。",
        "Your application for {matter} ({number}) is closed. You are welcome to rate the service.",
    ),
    "delegations.offered": Words(
        "有人请您代办政务服务事项，请登录查看委托内容并决定是否接受。不认识的请勿接受。",
        "Somebody asks you to act for them. Sign in to read the delegation and decide. Do not accept from "
        "people you do not know.",
    ),
    "delegations.accepted": Words(
        "您发起的委托已被接受，即日生效。您可随时登录解除。",
        "Your delegation was accepted and is in force. Sign in to end it at any time.",
    ),
    "delegations.recorded": Words(
        "您签署的纸质委托已登记，代办员可为您办理约定事项。您可随时登录或到代办点解除。",
        "The consent that you signed was recorded; the village agent may act for you as agreed. You may end "
        "it at any time, here or at the agent's.",
    ),
    "delegations.used": Words(
        "您的代办人已为您发起「{matter}」申请。如非您本意，请登录撤回申请并解除委托。",
        "An application for {matter} was begun for you under your delegation. If you do not want it, sign "
        "in, withdraw it and end the delegation.",
    ),
    "delegations.ended": Words(
        "一份与您有关的委托已解除，详情请登录查看。已提交的申请仍归委托人。",
        "A delegation of yours was ended; sign in to see it. What was handed in stays with the person it is "
        "for.",
    ),
    "certificates.issued": Words(
        "您有一份新的电子证照「{type}」，可登录查看和亮证。",
        "You have a new certificate: {type}. Sign in to see and show it.",
    ),
    "certificates.reissued": Words(
        "您的电子证照「{type}」已更正并换发，旧证照同时失效。",
        "Your certificate {type} was corrected and issued anew; the old one is no longer valid.",
    ),
    "certificates.revoked": Words(
        "您的电子证照「{type}」已失效，原因请登录查看。",
        "Your certificate {type} is no longer valid. Sign in to read why.",
    ),
    "certificates.suspended": Words(
        "您的电子证照「{type}」已暂停使用，原因请登录查看。",
        "Your certificate {type} is suspended. Sign in to read why.",
    ),
    "certificates.reinstated": Words(
        "您的电子证照「{type}」已恢复使用，可登录查看和亮证。",
        "Your certificate {type} is valid again. Sign in to see and show it.",
    ),
    "cross-province.taken-in": Words(
        "您的跨省申请「{matter}」已收件，编号 {number}，正在转往办理地。",
        "Your application in another province ({matter}) was taken in; number {number}. It is on its way.",
    ),
    "cross-province.accepted": Words(
        "您的跨省申请「{matter}」（{number}）已由办理地受理，承诺 {due} 前办结。",
        "Your application in another province ({matter}, {number}) was accepted there; promised by {due}.",
    ),
    "cross-province.correction": Words(
        "您的跨省申请「{matter}」（{number}）需要补正，请在 {due} 前登录查看要补的全部内容。",
        "Your application in another province ({matter}, {number}) needs corrections by {due}; sign in to "
        "see all of them.",
    ),
    "cross-province.returned": Words(
        "您的跨省申请「{matter}」（{number}）被办理地退回，原因请登录查看，修改后可重新申请。",
        "Your application in another province ({matter}, {number}) was returned; sign in to read why, then "
        "apply again.",
    ),
    "cross-province.refused": Words(
        "您的跨省申请「{matter}」（{number}）办理地未予受理，原因请登录查看。",
        "Your application in another province ({matter}, {number}) was not accepted; sign in to read why.",
    ),
    "cross-province.result": Words(
        "您的跨省申请「{matter}」（{number}）已办结，请登录查看结果。",
        "Your application in another province ({matter}, {number}) is decided; sign in to see the result.",
    ),
    "school-places.published": Words(
        "「{enrolment}」录取结果已公布，请登录查看录取学校和逐条说明。",
        "The results of {enrolment} are published. Sign in to see the school and how it was decided.",
    ),
    "school-places.refused": Words(
        "「{enrolment}」：您已放弃录取的学位，录取通知书已失效。如是误操作，请在 {minutes} 分钟内登录撤销，"
        "之后学位让给候补的孩子。",
        "{enrolment}: you gave up the place and its notice is no longer valid. If that was a slip, sign in "
        "and take it back within {minutes} minutes; after that the seat goes on.",
    ),
    "school-places.refusal-undone": Words(
        "「{enrolment}」：您已撤销放弃，学位保留，录取通知书已重新签发。",
        "{enrolment}: you took the place back; a new notice is issued.",
    ),
    "school-places.offered": Words(
        "「{enrolment}」：有一个候补学位轮到您的孩子，请在 {due} 前登录接受或放弃，逾期视为放弃。"
        "您现在的学位在接受之前不受影响。",
        "{enrolment}: a seat from a waiting list is yours. Sign in and accept or decline it by {due}; after "
        "that it goes on. The place you have now stays until you accept.",
    ),
    "school-places.offer-accepted": Words(
        "「{enrolment}」：您已接受候补学位，新的录取通知书已签发，原学位同时让出。",
        "{enrolment}: you accepted the seat. A new notice is issued, and the old place goes on.",
    ),
    "school-places.offer-declined": Words(
        "「{enrolment}」：您已放弃这次候补学位，您现在的录取结果不变。",
        "{enrolment}: you declined the seat. What you have now stays as it is.",
    ),
    "school-places.offer-expired": Words(
        "「{enrolment}」：候补学位逾期未答复，已让给下一位。您现在的录取结果不变。",
        "{enrolment}: the seat was not accepted in time and went on. What you have now stays as it is.",
    ),
    "school-places.appeal-received": Words(
        "「{enrolment}」：您的申诉已收到，由未受理过您申请的人员处理，结果会短信告知您。",
        "{enrolment}: we have your appeal. Somebody who did not take your application in decides it; "
        "we will tell you.",
    ),
    "school-places.appeal-upheld": Words(
        "「{enrolment}」：您的申诉成立，更正后的结果和说明请登录查看。",
        "{enrolment}: your appeal was upheld. Sign in to read the corrected result and why.",
    ),
    "school-places.appeal-dismissed": Words(
        "「{enrolment}」：您的申诉未成立，理由和救济途径请登录查看。",
        "{enrolment}: your appeal was dismissed. Sign in to read why and what remains to you.",
    ),
    "school-places.late-permitted": Words(
        "「{enrolment}」：已准予您逾期补报，请尽快登录提交申请。",
        "{enrolment}: you may hand your application in late. Please sign in and do so soon.",
    ),
    "school-places.late-decided": Words(
        "「{enrolment}」：您的逾期补报已有结果，请登录查看学校、候补位次和说明。",
        "{enrolment}: your late application is decided. Sign in to see the school, the lists and why.",
    ),
    "school-places.second-round": Words(
        "「{enrolment}」将于 {opens} 至 {closes} 受理申请，孩子还没有学位的家庭可以登录报名。",
        "{enrolment} takes applications from {opens} to {closes}. If your child has no place yet, sign in "
        "and apply.",
    ),
}


class UnknownTemplate(LookupError):
    """A notice names a text that does not exist, or lacks one of its values: a mistake of ours."""


def render(template: str, values: Mapping[str, str], *, language: str) -> str:
    """The text of a notice. Raises UnknownTemplate."""
    words = TEMPLATES.get(template)
    if words is None:
        raise UnknownTemplate(template)
    try:
        return (SIGNATURE.in_language(language) + words.in_language(language)).format_map(values)
    except KeyError as missing:
        raise UnknownTemplate(f"{template} needs {missing}") from None


def values_of(template: str) -> frozenset[str]:
    """The names of the values that a notice needs."""
    return frozenset(name for _, name, _, _ in Formatter().parse(TEMPLATES[template].zh) if name)
