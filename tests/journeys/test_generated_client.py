"""The contract is enough to write a client by: a generated one goes from the SMS to a valid notice."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Platform
from tests.journeys.people import Official, Resident, Verifier, resident

CONTRACT = Path(__file__).parents[2] / "openapi" / "openapi.json"
CONFIG = Path(__file__).parent / "generated_client.yaml"
PACKAGE = "haiyiban_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package that openapi-python-client makes of the checked-in contract, ready to import."""
    folder = tmp_path_factory.mktemp("client")
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", CONTRACT, "--config", CONFIG, "--output-path", folder / "client"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    # It warns of what it leaves out, and goes on.
    assert "WARNING" not in made.stdout + made.stderr, made.stdout + made.stderr
    sys.path.insert(0, str(folder / "client"))
    yield folder / "client" / PACKAGE
    sys.path.remove(str(folder / "client"))


class Client:
    """The generated package, called by the names of the contract."""

    def __init__(self, platform: Platform, token: str | None = None) -> None:
        package = importlib.import_module(PACKAGE)
        options = {"base_url": platform.demo["api"], "raise_on_unexpected_status": True, "timeout": 30}
        self._client = (
            package.Client(**options)
            if token is None
            else package.AuthenticatedClient(token=token, **options)
        )
        platform.clients.append(self._client.get_httpx_client())

    def call(self, operation: str, *ids: str, body: Any = None, **arguments: Any) -> Any:
        """`accounts.auth_sign_in`: the operation's parsed answer."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        given = arguments | ({"body": body} if body is not None else {})
        answer = module.sync(*ids, client=self._client, **given)
        assert type(answer).__name__ != "ProblemDocument", answer
        return answer


def model(name: str, /, **members: Any) -> Any:
    """A body of the contract, by the name of its schema."""
    made: Any = getattr(importlib.import_module(f"{PACKAGE}.models"), name).from_dict(members)
    return made


def test_every_operation_of_the_contract_is_made(generated: Path) -> None:
    document = json.loads(CONTRACT.read_bytes())
    operations = [each for item in document["paths"].values() for each in item.values()]
    made = [file for file in generated.glob("api/*/*.py") if file.name != "__init__.py"]
    assert len(made) == len(operations)


def test_a_generated_client_goes_from_the_sms_to_a_valid_notice(platform: Platform, generated: Path) -> None:
    family = resident(platform, "class 1")
    parent = Client(platform, _token_of(platform, family))

    found = parent.call("matters.matters_search", q="小孩上学").items[0]
    case = parent.call("cases.cases_create", body=model("CaseCreate", matter=found.code))
    schools = parent.call("school_places.school_places_schools", division="460105").items
    choices = [str(school.id) for school in schools[:2]]
    changed = model("CasePatch", form={"choices": choices}, version=case.version)
    parent.call("cases.cases_change", case.id, body=changed)
    submitted = parent.call("cases.cases_submit", case.id, body=model("Nothing"))
    assert (submitted.state, len(submitted.number)) == ("submitted", 45)

    clerk = Client(platform, _bearer(Official(platform, "clerk")))
    accept = model("VerbCreate", note="材料齐全", version=submitted.version)
    clerk.call("desk.desk_act", case.id, "accept", body=accept)
    officer = Client(platform, _bearer(Official(platform, "officer")))
    enrolment = officer.call("school_places.school_places_enrolments").items[0]
    run = officer.call("school_places.allocation_runs_commit", enrolment.id, body=model("Nothing"))
    drawn = model("DrawCreate", beacon="2026-11-20|12345")
    officer.call("school_places.allocation_runs_draw", enrolment.id, run.run_id, body=drawn)
    officer.call("school_places.allocation_runs_publish", enrolment.id, run.run_id, body=model("Nothing"))

    notice = parent.call("certificates.certificates_mine").items[0]
    assert (notice.type_, notice.status) == ("admission-notice", "valid")
    code = parent.call(
        "codes.code_show", body=model("CodeCreate", kind="certificate", subjectId=str(notice.id))
    )
    # The generator writes a module that cannot be imported for the one operation with two kinds of body.
    token = _bearer(Verifier(platform))
    scan = model(
        "VerificationVerifyVerificationCreate",
        text=code.text,
        purpose="enrolment",
        expectedKind="certificate",
    )
    assert Client(platform, token).call("codes.verification_verify", body=scan).outcome == "valid"


def _token_of(platform: Platform, family: Resident) -> str:
    """Sign-in, real name and face check, all by the generated client."""
    anonymous = Client(platform)
    asked = model("SmsCodeCreate", phone=family.known["phone"])
    code = family.code_after(lambda: anonymous.call("accounts.auth_send_code", body=asked))
    signed = model("SmsSignIn", method="sms", phone=family.known["phone"], code=code)
    token = str(anonymous.call("accounts.auth_sign_in", body=signed).access_token)
    client = Client(platform, token)
    named = {"name": family.known["name"], "idType": "111", "idNumber": family.known["idNumber"]}
    client.call("accounts.me_give_real_name", body=model("RealNameCreate", **named))
    check = client.call("accounts.me_begin_face_check")
    passed = client.call(
        "accounts.me_finish_face_check", check.id, body=model("FaceCheckResult", faceToken="pass")
    )
    assert passed.assurance == "L3"
    return token


def _bearer(person: Official | Verifier) -> str:
    return str(person.http.headers["Authorization"]).removeprefix("Bearer ")
