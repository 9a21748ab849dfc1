"""Every operation shows how it is used, by an example that fits the contract."""

from __future__ import annotations

import json

import pytest

from haiyiban.runtime import examples
from tests.contracts import recording

OPERATIONS = sorted(each["operationId"] for each in recording.contract_operations())


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_an_example_that_fits(name: str) -> None:
    example = examples.examples().get(name)
    assert example is not None, "run `make examples`"
    assert recording.faults(name, example) == []


def test_no_example_is_of_an_operation_that_is_gone() -> None:
    assert set(examples.examples()) <= set(OPERATIONS)


def test_examples_stand_in_the_contract() -> None:
    shown = [each for each in recording.contract_operations() if '"example"' in json.dumps(each)]
    assert len(shown) > 40
