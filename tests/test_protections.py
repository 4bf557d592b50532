"""The list of protections in `protections.py` fits the code; `make mutants` tries each of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from protections import PROTECTIONS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", PROTECTIONS)
def test_a_protection_is_where_the_list_says(name):
    """The code of a protection stands there once, its mutation is Python, and its test exists."""
    protection = PROTECTIONS[name]
    text = (ROOT / protection.file).read_text("utf-8")
    assert text.count(protection.before) == 1
    mutated = text.replace(protection.before, protection.after)
    assert mutated != text
    ast.parse(mutated)
    file, _, test = protection.test.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert test.partition("[")[0] in functions
