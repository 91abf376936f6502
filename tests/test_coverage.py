"""One module that the tests leave out is found, however well the others are covered."""

from scripts.rig.coverage import below


def module(percent: float, missing: list[int]) -> object:
    return {"summary": {"percent_covered": percent}, "missing_lines": missing}


def test_only_modules_that_are_covered_too_little_are_named() -> None:
    files = {"b.py": module(95.0, [7]), "a.py": module(60.0, [1, 2]), "c.py": module(95.1, [3])}
    assert below({"files": files}) == {"a.py": (60.0, [1, 2]), "b.py": (95.0, [7])}
