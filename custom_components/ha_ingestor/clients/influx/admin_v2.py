"""Administers InfluxDB 2 with its own client, which blocks and therefore runs in a thread."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from importlib import import_module
from ssl import SSLContext
from typing import Any, Final

from ...pipeline.export.result import Kind, Problem, Result
from ..address import normalize
from ..exchange import DETAIL_MAX, Failure, Reply, redact
from .bounded_pool import bound
from .client import speaks_as_database
from .destination import Destination, secrets_of
from .dialect import Dialect
from .library import load_library
from .listing import DONE, NAMES_MAX, Listing, sorted_names
from .outcome import Outcome
from .summary import SUMMARY_DAYS, summary_bucket, summary_task, summary_task_name
from .verdict import classify

# For all requests together, as a user waits: a server may send one part after the other for ever.
ALL_SECONDS: Final = 60.0
# To connect, and between two parts of an answer.
_TIMEOUT_MS: Final = (5_000, 10_000)
_PAGE: Final = 100
_DAY_SECONDS: Final = 86_400
_SYSTEM: Final = "system"
# With these words a token that is known is refused; one that is not known has no resource named.
_NOT_ALLOWED: Final = "is unauthorized"
_EXISTS: Final = "already exists"

# The library has no types of its own.
type _Client = Any
type _Action[T] = Callable[[_Client], T]


class InfluxDB2Administrator:
    """Asks one InfluxDB 2; no redirect is followed, as the token would go along."""

    def __init__(self, destination: Destination, *, ssl: bool | SSLContext = True) -> None:
        """Prepare; raises AddressError."""
        self._destination = destination
        self._ssl = ssl
        self._url = normalize(destination.url)

    async def list_orgs(self) -> Listing:
        """List the organizations, or the IDs of those whose buckets alone are visible."""
        return await self._async_list(_org_names)

    async def list_databases(self) -> Listing:
        """List the buckets of users."""
        return await self._async_list(lambda client: [each.name for each in _buckets(client)])

    async def list_policies(self, databases: Sequence[str]) -> Listing:  # noqa: ARG002
        """Return none, as a bucket has one retention only."""
        return Listing()

    async def create_missing(self, retention_days: int = 0) -> Result:
        """Create the bucket."""
        bucket = self._destination.bucket
        return await self._async_do(
            lambda client: self._create_bucket(client, bucket, retention_days)
        )

    async def create_summary(self, time_zone: str) -> Result:
        """Create the bucket of the daily summaries, and the task that fills it."""
        return await self._async_do(lambda client: self._create_summary(client, time_zone))

    def _create_bucket(self, client: _Client, name: str, days: int) -> Result:
        library = load_library()
        rules = [library.BucketRetentionRules(type="expire", every_seconds=days * _DAY_SECONDS)]
        wanted = library.PostBucketRequest(
            org_id=self._org_id(client), name=name, retention_rules=rules if days else []
        )
        try:
            created = client.buckets_api().create_bucket(bucket=wanted)
        except library.rest.ApiException as err:
            if err.status == HTTPStatus.UNPROCESSABLE_ENTITY and _EXISTS in _body(err):
                return DONE
            raise
        return DONE if getattr(created, "id", None) else _NO_ANSWER

    def _create_summary(self, client: _Client, time_zone: str) -> Result:
        bucket = self._destination.bucket
        created = self._create_bucket(client, summary_bucket(bucket), SUMMARY_DAYS)
        if created.kind is not Kind.ACCEPTED:
            return created
        org_id = self._org_id(client)
        tasks = client.tasks_api()
        name = summary_task_name(bucket)
        if tasks.find_tasks(name=name, org_id=org_id):
            return DONE
        org = client.organizations_api().find_organization(org_id).name
        flux = summary_task(bucket, org=org, time_zone=time_zone)
        wanted = load_library().TaskCreateRequest(org_id=org_id, flux=flux, status="active")
        task = tasks.create_task(task_create_request=wanted)
        return DONE if getattr(task, "id", None) else _NO_ANSWER

    def _org_id(self, client: _Client) -> str:
        """Find the ID of the organization, of which the destination has the name or the ID."""
        orgs = client.organizations_api().find_organizations(limit=_PAGE)
        if not orgs:
            raise _RefusedError(Problem.FORBIDDEN, "The token may not read organizations")
        wanted = self._destination.org
        for org in orgs:
            if wanted in {org.name, org.id}:
                return str(org.id)
        raise _RefusedError(Problem.ORG_NOT_FOUND, "")

    async def _async_list(self, names: _Action[list[str]]) -> Listing:
        found: list[str] = []

        def action(client: _Client) -> Result:
            found.extend(names(client))
            return DONE

        result = await self._async_do(action)
        return Listing(names=sorted_names(found), result=result)

    async def _async_do(self, action: _Action[Result]) -> Result:
        try:
            async with asyncio.timeout(ALL_SECONDS):
                return await asyncio.to_thread(self._do, action)
        except TimeoutError:
            return _failed(Failure.TIMEOUT)

    def _do(self, action: _Action[Result]) -> Result:
        """Run an action with a client of its own; whatever goes wrong is a result."""
        library, errors = load_library(), import_module("urllib3.exceptions")
        try:
            with library.InfluxDBClient(
                self._url,
                token=self._destination.token,
                timeout=_TIMEOUT_MS,
                verify_ssl=self._ssl is not False,
                ssl_context=self._ssl if isinstance(self._ssl, SSLContext) else None,
                retries=False,
            ) as client:
                # The thread ends, too: nothing else stops it.
                bound(client, ALL_SECONDS)
                return action(client)
        except _RefusedError as err:
            return Result(kind=Kind.BLOCKED, problem=err.problem, detail=str(err))
        except library.rest.ApiException as err:
            return self._refused(err)
        except (errors.HTTPError, OSError) as err:
            # A connection that is refused counts as slow, too.
            is_slow = isinstance(err, errors.TimeoutError) and not isinstance(
                err, errors.NewConnectionError
            )
            return _failed(Failure.TIMEOUT if is_slow else Failure.UNREACHABLE)
        except ValueError, TypeError, AttributeError, LookupError:
            return _NO_ANSWER  # something else answers, in another form

    def _refused(self, err: Any) -> Result:
        """Classify a refusal as one of a write."""
        if not err.status:  # the client reports a TLS failure in this way
            return _failed(Failure.TLS)
        body = redact(_body(err), secrets_of(self._destination))[:DETAIL_MAX]
        if err.status == HTTPStatus.UNAUTHORIZED and _NOT_ALLOWED in body:
            return Result(kind=Kind.BLOCKED, problem=Problem.FORBIDDEN, detail=body)
        reply = Reply(status=err.status, headers=dict(err.headers or {}), body=body)
        outcome = Outcome(status=err.status, body=body, from_database=speaks_as_database(reply))
        return classify(outcome, Dialect.V2)


def _failed(failure: Failure) -> Result:
    return classify(Outcome(failure=failure), Dialect.V2)


_NO_ANSWER: Final = Result(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE)


class _RefusedError(Exception):
    """What is wanted cannot be done, as the server's own lists say."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem


def _body(err: Any) -> str:
    return err.body if isinstance(err.body, str) else ""


def _org_names(client: _Client) -> list[str]:
    orgs = client.organizations_api().find_organizations(limit=_PAGE)
    return [org.name for org in orgs] or [each.org_id for each in _buckets(client)]


def _buckets(client: _Client) -> list[Any]:
    """Read the buckets page by page, those of users only."""
    found: list[Any] = []
    offset = 0
    while offset < NAMES_MAX:
        page = client.buckets_api().find_buckets(limit=_PAGE, offset=offset).buckets
        found += [each for each in page if each.type != _SYSTEM]
        offset += _PAGE
        if len(page) < _PAGE:
            break
    return found
