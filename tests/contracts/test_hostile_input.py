"""What nobody sends by mistake: refused in words, never a crash, and cheap for us."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from haiyiban.runtime.start import prepare
from haiyiban.settings import InvalidSetting, Settings
from tests import builders

Headers = dict[str, str]


@pytest.mark.parametrize(
    ("body", "media", "slug"),
    [
        (b'{"clientId":"\xff","clientSecret":"x"}', "application/json", "malformed-json"),
        (b'{"clientId":"a\\u0000","clientSecret":"x"}', "application/json", "malformed-json"),
        (b'{"clientId":"a","clientId":"b","clientSecret":"x"}', "application/json", "malformed-json"),
        (b'{"clientId":' + b"[" * 5000, "application/json", "malformed-json"),
        (b'{"clientId":["a"],"clientSecret":"x"}', "application/json", "malformed"),
        (b'{"clientId":"a\x7f","clientSecret":"x"}', "application/json", "invalid-client"),
    ],
)
async def test_a_hostile_token_request_is_refused(
    api: httpx.AsyncClient, body: bytes, media: str, slug: str
) -> None:
    answer = await api.post("/auth/verifiers/token", content=body, headers={"Content-Type": media})
    assert builders.slug(answer) == slug


async def test_a_form_with_a_nul_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/auth/verifiers/token",
        content=b"grant_type=client_credentials&client_id=%00&client_secret=%00",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize("address", ["/desk/certificates?number=%00", "/desk/cases?matter=%00"])
async def test_a_nul_in_an_address_is_malformed(api: httpx.AsyncClient, address: str) -> None:
    answer = await api.get(address, headers=await builders.staff(api))
    assert (answer.status_code, builders.slug(answer)) == (400, "malformed")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "." * 1000,
        base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".e30.AA",
        base64.urlsafe_b64encode(b'{"alg":"none","kid":"x"}').decode().rstrip("=") + ".e30.",
        base64.urlsafe_b64encode(b'{"alg":"HS256","kid":["x"]}').decode().rstrip("=") + ".e30.AA",
        "\xff" * 500,
    ],
)
async def test_a_hostile_token_is_nobodys(api: httpx.AsyncClient, token: str) -> None:
    answer = await api.get("/me", headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert (answer.status_code, builders.slug(answer)) == (401, "invalid-token")


@pytest.fixture
async def draft(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> tuple[str, Headers]:
    """A draft's address and its applicant."""
    headers = await builders.resident(api, sandbox)
    opened = await api.post("/cases", json={"matter": "civil-affairs.senior-allowance"}, headers=headers)
    assert opened.status_code == 201, opened.text
    return f"/cases/{opened.json()['id']}", headers


@pytest.mark.parametrize(
    "patch",
    [
        {"form": {"²": 1}},
        {"form": {"9" * 5000: 1}},
        {"form": {"applicant": {"²": {"٣": 1}}}},
        {"form": {}, "disputes": {"no pointer": "wrong"}},
        {"form": {}, "disputes": {"": "wrong"}},
        {"form": {}, "disputes": {"/applicant/name/~9/²": "wrong"}},
        {"form": {name: {"x": [1] * 100} for name in map(str, range(3000))}},
    ],
)
async def test_a_hostile_patch_is_refused_field_by_field(
    api: httpx.AsyncClient, draft: tuple[str, Headers], patch: dict[str, Any]
) -> None:
    address, headers = draft
    answer = await api.patch(address, json=patch, headers=headers)
    assert (answer.status_code, builders.slug(answer)) == (422, "invalid-form"), answer.text


async def test_a_dispute_alone_uncovers_nothing(api: httpx.AsyncClient, draft: tuple[str, Headers]) -> None:
    """Whoever holds the phone for a minute could else read every number by saying that it is wrong."""
    address, headers = draft
    before = (await api.get(address, headers=headers)).json()
    assert "/applicant/idNumber" in before["locked"]
    disputed = await api.patch(
        address, json={"form": {}, "disputes": {"/applicant/idNumber": "登记有误"}}, headers=headers
    )
    assert disputed.status_code == 200, disputed.text
    assert "/applicant/idNumber" not in disputed.json()["locked"]
    assert disputed.json()["form"]["applicant"] == before["form"]["applicant"]
    assert "*" in before["form"]["applicant"]["idNumber"]
    own = {"applicant": {"idNumber": "460105199001010011"}}
    written = await api.patch(address, json={"form": own}, headers=headers)
    assert written.json()["form"]["applicant"]["idNumber"] == "460105199001010011"


async def test_a_correction_notice_names_fields_of_the_form(
    api: httpx.AsyncClient, draft: tuple[str, Headers]
) -> None:
    address, headers = draft
    await api.patch(address, json={"form": {"bankAccount": "6222021234567890"}}, headers=headers)
    handed_in = await api.post(f"{address}/submission", json={}, headers=headers)
    assert handed_in.status_code == 200, handed_in.text
    clerk = await builders.staff(api, agency="civil-affairs")
    for pointer in ("no pointer", "/²", "/applicant/" + "9" * 5000):
        answer = await api.post(
            f"/desk{address}/request-correction",
            json={"items": [{"pointer": pointer, "message": "请补正"}]},
            headers=clerk,
        )
        assert (answer.status_code, builders.slug(answer)) == (422, "invalid-verb"), answer.text


def test_production_has_no_sandbox_to_fall_back_on() -> None:
    """Whoever took the sandbox's port could confirm any name and any face."""
    settings = Settings.from_env({"HAIYIBAN_ENV": "production", "DATABASE_URL": "postgresql://x/y"})
    with pytest.raises(InvalidSetting, match="HAIYIBAN_REGISTERS_URL"):
        prepare(settings)


def test_a_password_costs_what_it_should_in_production() -> None:
    with pytest.raises(InvalidSetting, match="HAIYIBAN_PASSWORD_KIB"):
        Settings.from_env({"HAIYIBAN_ENV": "production", "HAIYIBAN_PASSWORD_KIB": "64"})
    assert Settings.from_env({"HAIYIBAN_ENV": "production"}).password_kib == 19_456
