"""What a terminal asks for once when it is set up over the network."""

from __future__ import annotations

import httpx

from haiyiban.codes import trust_file
from haiyiban.codes.trust import public_key_of, read_trust_list
from haiyiban.settings import Settings


async def test_the_root_is_the_key_that_signs_the_trust_list(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    said = (await api.get("/trust-list/root")).json()
    pinned = trust_file.root_jwk(settings.keys_dir)
    assert said == {name: pinned[name] for name in ("kty", "crv", "x", "y")}, "its public half and no more"
    root = public_key_of(said)
    assert read_trust_list((await api.get("/trust-list")).text, root).entries


async def test_the_status_lists_are_counted(api: httpx.AsyncClient) -> None:
    count = (await api.get("/status-lists")).json()["count"]
    assert (await api.get(f"/status-lists/{count}")).status_code == 404
    if count:
        assert (await api.get(f"/status-lists/{count - 1}")).status_code == 200
