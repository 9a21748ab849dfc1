"""Puts the outside world together."""

import os
from pathlib import Path

from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from haiyiban_sandbox import (
    bank,
    carrier,
    enterprises,
    face,
    insurance_transfers,
    registers,
    sms,
    timestamp,
    wechat,
)
from haiyiban_sandbox.access import key_from_environment
from haiyiban_sandbox.clock import clock_from_environment
from haiyiban_sandbox.faults import set_fault
from haiyiban_sandbox.people import Resident
from haiyiban_sandbox.problems import refuse
from haiyiban_sandbox.store import Store, create_tables, open_store
from haiyiban_sandbox.wire import Asked, read
from haiyiban_sandbox.world import Demo, demo_residents, load_world


class NotInProduction(RuntimeError):
    """The sandbox makes people up; production asks the real registers."""


def refuse_production() -> None:
    """Raise unless this is a demo or a test."""
    if os.environ.get("HAIYIBAN_ENV") == "production":
        raise NotInProduction(
            "沙箱不能在生产环境启动：请配置真实的数据源地址。"
            " The sandbox does not start with HAIYIBAN_ENV=production:"
            " point the platform at the real registers."
        )


@get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@get("/world")
async def world(store: NamedDependency[Store]) -> dict[str, list[Demo] | list[enterprises.DemoEnterprise]]:
    """Who lives in the demo world, as demo.json shows them."""
    return {"residents": demo_residents(store), "enterprises": enterprises.demo_enterprises(store)}


@post("/residents")
async def add_resident(request: Asked, store: NamedDependency[Store]) -> Resident:
    """Add or replace a person in every register; children get their birth, hukou and household links."""
    resident = await read(request, Resident)
    with store.transaction():
        store.add(resident)
    return resident


def create_app(home: Path) -> Litestar:
    """The sandbox over `<home>/sandbox.db`; the demo world is loaded when that file is new."""
    refuse_production()
    clock = clock_from_environment()
    store, is_new = open_store(home / "sandbox.db", now=clock.now())
    if is_new:
        with store.transaction():
            create_tables(store)
            load_world(store, today=clock.today())

    codes = wechat.LoginCodes()

    authority = timestamp.Authority(home, clock)

    def close(_: Litestar) -> None:
        store.connection.close()

    return Litestar(
        route_handlers=[
            health,
            world,
            add_resident,
            set_fault,
            registers.match,
            registers.match_document,
            registers.portrait_of,
            registers.portrait_of_visitor,
            registers.query,
            registers.query_many,
            enterprises.query,
            enterprises.add_enterprise,
            sms.send,
            sms.inbox,
            face.open_session,
            face.redeem,
            face.page,
            carrier.send_parcel,
            carrier.track,
            insurance_transfers.take_in,
            bank.open_account,
            bank.pay,
            bank.status,
            bank.statement,
            bank.give_back,
            timestamp.stamp,
            timestamp.root,
            timestamp.crl,
            wechat.login,
            wechat.jscode2session,
        ],
        dependencies={
            "store": Provide(lambda: store, sync_to_thread=False),
            "clock": Provide(lambda: clock, sync_to_thread=False),
            "authority": Provide(lambda: authority, sync_to_thread=False),
            "codes": Provide(lambda: codes, sync_to_thread=False),
        },
        state=State({"store": store, "clock": clock, "key": key_from_environment()}),
        exception_handlers={HTTPException: refuse},
        on_shutdown=[close],
        openapi_config=None,
        request_max_body_size=1_000_000,
    )
