"""One module that the tests leave out is found, however well the others are covered."""

from scripts.rig.coverage import below


def module(percent: float, missing: list[int]) -> object:
    return {"summary": {"percent_covered": percent}, "missing_lines": missing}


def test_only_modules_that_are_covered_too_little_are_named() -> None:
    files = {"b.py": module(95.0, [7]), "a.py": module(60.0, [1, 2]), "c.py": module(95.1, [3])}
    assert below({"files": files}) == {"a.py": (60.0, [1, 2]), "b.py": (95.0, [7])}


def test_of_the_config_flow_every_line_has_to_be_covered() -> None:
    package = "custom_components/ha_ingestor"
    almost, whole = module(99.0, [7]), module(100.0, [])
    files = {
        f"{package}/config_flow.py": almost,
        f"{package}/flows/fields.py": almost,
        f"{package}/flows/place.py": whole,
        f"{package}/coordinator.py": almost,
    }
    found = below({"files": files})
    assert found.keys() == {f"{package}/config_flow.py", f"{package}/flows/fields.py"}
