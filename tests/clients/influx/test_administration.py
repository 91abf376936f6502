"""Lists and creation, as the databases allow them."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.administrator import administrator_of
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.summary import summary_task
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from tests.emulator import Answer, Emulator
from tests.tls import Authority

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


def place(url: str, dialect: Dialect = Dialect.V2, **more: str) -> Destination:
    return Destination(
        url=url, dialect=dialect, org="home", bucket="new", database="new", token="good", **more
    )


@pytest.mark.parametrize("dialect", [Dialect.V2, Dialect.V3])
async def test_creating_a_database_that_exists_succeeds_and_creates_nothing(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    async with Emulator(dialect=dialect) as server:
        administrator = administrator_of(session, place(server.url, dialect))
        for _ in range(2):
            assert (await administrator.create_missing(7)).kind is Kind.ACCEPTED
        assert len(server.administration.created) == 1


async def test_victoriametrics_has_nothing_to_list_and_nothing_to_create(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(dialect=Dialect.VICTORIAMETRICS) as server:
        administrator = administrator_of(session, place(server.url, Dialect.VICTORIAMETRICS))
        assert (await administrator.list_databases()).names == ()
        assert (await administrator.list_orgs()).names == ()
        assert (await administrator.list_policies(["a"])).names == ()
        assert (await administrator.create_missing(7)).kind is Kind.ACCEPTED
        assert (await administrator.create_summary("UTC")).kind is Kind.ACCEPTED
        assert server.seen == []


async def test_more_buckets_than_a_page_has_are_all_listed(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(dialect=Dialect.V2) as server:
        server.names["bucket"] = {f"b{number:03}" for number in range(250)}
        listing = await administrator_of(session, place(server.url)).list_databases()
    assert listing.names == tuple(f"b{number:03}" for number in range(250))


async def test_an_organization_may_be_named_by_its_id(session: aiohttp.ClientSession) -> None:
    async with Emulator(dialect=Dialect.V2) as server:
        there = Destination(
            url=server.url, dialect=Dialect.V2, org="home-id", bucket="new", token="t"
        )
        assert (await administrator_of(session, there).create_missing()).kind is Kind.ACCEPTED
        nowhere = Destination(url=server.url, dialect=Dialect.V2, org="nope", bucket="x", token="t")
        refused = await administrator_of(session, nowhere).create_missing()
    assert refused.problem is Problem.ORG_NOT_FOUND


async def test_a_token_that_may_not_create_is_no_wrong_token(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(dialect=Dialect.V2) as server:
        server.allowed = {"Token good"}
        server.administration.may_create = False
        refused = await administrator_of(session, place(server.url)).create_missing()
        server.allowed = {"Token other"}
        unknown = await administrator_of(session, place(server.url)).create_missing()
    assert (refused.problem, unknown.problem) == (Problem.FORBIDDEN, Problem.INVALID_AUTH)


async def test_without_an_answer_the_problem_is_the_one_of_a_write(
    session: aiohttp.ClientSession,
) -> None:
    listing = await administrator_of(session, place("http://127.0.0.1:1")).list_databases()
    assert listing.result.problem is Problem.UNREACHABLE


async def test_only_a_trusted_server_is_asked(
    session: aiohttp.ClientSession, authority: Authority
) -> None:
    async with Emulator(dialect=Dialect.V2, tls=authority.server_context) as server:
        trusting = ssl.create_default_context(cadata=authority.pem)
        trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT
        for how, problem in ((True, Problem.TLS), (trusting, Problem.NONE), (False, Problem.NONE)):
            administrator = administrator_of(session, place(server.url), ssl=how)
            assert (await administrator.list_databases()).result.problem is problem


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(session: aiohttp.ClientSession, status: int) -> None:
    async with Emulator(dialect=Dialect.V2) as server, Emulator(dialect=Dialect.V2) as other:
        server.impostor = Answer(status=status, headers={"Location": f"{other.url}/api/v2/orgs"})
        administrator = administrator_of(session, place(server.url))
        assert (await administrator.list_orgs()).result.problem is Problem.REDIRECT
        assert (await administrator.create_missing()).problem is Problem.REDIRECT
        assert other.seen == []


def test_quotes_in_names_are_escaped_in_the_flux_task() -> None:
    task = summary_task('a "b" ${c} \\', org="\n", time_zone="UTC")
    assert r'from(bucket: "a \"b\" \${c} \\")' in task
    assert r'org: "\n")' in task
