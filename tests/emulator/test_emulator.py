"""The emulated databases refuse what the real ones refuse, in the words of each."""

import aiohttp
import pytest

from tests.emulator import V1_6, V1_13, V2_7, V3, VM_NEW, Emulator, Profile

pytestmark = pytest.mark.usefixtures("socket_enabled")

PATHS = {
    "v1": "/write",
    "v2": "/api/v2/write",
    "v3": "/api/v3/write_lp",
    "victoriametrics": "/write",
}
TYPE = 'field type conflict: input field "v" on measurement "m" is type string, already exists as'


async def write(emulator: Emulator, line: str, database: str = "home_assistant") -> tuple[int, str]:
    """Write a line; return status and body."""
    dialect = emulator.profile.dialect
    emulator.names["db"].add(database)
    emulator.names["bucket"].add(database)
    query = {"org": "home", "bucket": database} if dialect == "v2" else {"db": database}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{emulator.url}{PATHS[dialect]}", params=query, data=line) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("profile", "status", "words"),
    [
        (V1_6, 400, TYPE),
        (V1_13, 400, TYPE),
        (V2_7, 422, TYPE),
        (
            V3,
            400,
            (
                "invalid column type for column 'v', expected iox::column_type::field::float, "
                "got iox::column_type::field::string"
            ),
        ),
    ],
)
async def test_a_field_of_another_type_is_refused_in_this_database_alone(
    profile: Profile, status: int, words: str
) -> None:
    async with Emulator(profile=profile) as emulator:
        assert (await write(emulator, "m v=1 1"))[0] == 204
        assert (await write(emulator, 'other v="a" 1'))[0] == 204
        found, body = await write(emulator, 'm v="a" 2')
        assert (found, words in body.replace('\\"', '"')) == (status, True), body
        assert (await write(emulator, 'm v="a" 2', "elsewhere"))[0] == 204
        assert (await write(emulator, 'm v="b" 3', "elsewhere"))[0] == 204


@pytest.mark.parametrize(
    "lines", [["m,x=a v=1 1", "m x=1 2"], ["m,x=a x=1 1"], ["m x=1 1", "m,x=a v=1 2"]]
)
async def test_a_tag_and_a_field_of_one_name_are_refused_or_told(lines: list[str]) -> None:
    for profile in (V1_6, V1_13, V2_7):
        async with Emulator(profile=profile) as emulator:
            for line in lines:
                assert (await write(emulator, line))[0] == 204
            assert emulator.ambiguous == {("m", "x")}
    async with Emulator(profile=V3) as emulator:
        *before, last = lines
        for line in before:
            assert (await write(emulator, line))[0] == 204
        status, body = await write(emulator, last)
        assert status == 400
        assert "invalid column type for column 'x', expected iox::column_type::" in body
        assert emulator.ambiguous == set()


async def test_the_emulator_of_victoriametrics_accepts_mixed_types() -> None:
    async with Emulator(profile=VM_NEW) as emulator:
        for line in ("m,x=a v=1 1", 'm,x=a v="a",x=1 2'):
            assert (await write(emulator, line))[0] == 204
