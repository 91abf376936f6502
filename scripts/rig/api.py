"""Home Assistant from outside: its REST and WebSocket interfaces, as a script sees them."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp

from .configuration import HOST

type Json = Any

# A reload with ten thousand entities takes half a minute where two cores do much else.
TIMEOUT: Final = 90.0

_FLOWS: Final = "/api/config/config_entries/flow"
_RELOAD_SECONDS: Final = 20.0
_OPTIONS: Final = "/api/config/config_entries/options/flow"
# Which menu has a page that is not in the first one.
_MENU_OF: Final = {
    **dict.fromkeys(("points", "attributes"), "how_points_look"),
    **dict.fromkeys(("events", "weather"), "events_and_weather"),
}
# The answer where the effect of options is to be confirmed.
CONFIRMED: Final[dict[str, Json]] = {"next_step_id": "confirmed"}
_SUBENTRIES: Final = "/api/config/config_entries/subentries/flow"
_ENTRIES: Final = "/api/config/config_entries/entry"


class ApiError(Exception):
    """Home Assistant refused a request, or gave no answer."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        """Keep the HTTP status; 0 when there was no answer."""
        super().__init__(message)
        self.status = status


@dataclass(slots=True, kw_only=True)
class Api:
    """One user's view of a Home Assistant on this machine."""

    port: int
    token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"

    def request(self, method: str, path: str, body: Json = None, *, form: bool = False) -> Json:
        """Send one request; the answer is parsed when it is JSON."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        content = None
        if body is not None:
            kind = "x-www-form-urlencoded" if form else "json"
            headers["Content-Type"] = f"application/{kind}"
            content = (urlencode(body) if form else json.dumps(body)).encode()
        connection = HTTPConnection(HOST, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = response.read().decode()
        except (OSError, HTTPException) as err:
            raise ApiError(f"{method} {path}: {err!r}") from err
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST:
            message = f"{method} {path}: {response.status} {answer[:500]}"
            raise ApiError(message, status=response.status)
        is_json = response.headers.get_content_type() == "application/json"
        return json.loads(answer) if is_json else answer

    def states(self) -> list[Json]:
        """Return every state."""
        return list(self.request("GET", "/api/states"))

    def state(self, entity_id: str) -> Json | None:
        """Return one state, None when there is no such entity."""
        try:
            return self.request("GET", _state_path(entity_id))
        except ApiError as err:
            if err.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def set_state(self, entity_id: str, state: str, /, **attributes: Json) -> Json:
        """Set a state as an integration would; returns it as Home Assistant has it."""
        body = {"state": state, "attributes": attributes}
        return self.request("POST", _state_path(entity_id), body)

    def remove_state(self, entity_id: str) -> None:
        """Remove a state."""
        self.request("DELETE", _state_path(entity_id))

    def call_service(self, domain: str, service: str, **data: Json) -> Json:
        """Call an action and wait until it is done."""
        return self.request("POST", f"/api/services/{domain}/{service}", data)

    def flow(self, handler: str, **answers: dict[str, Json]) -> Json:
        """Go through a config flow: one keyword per step, in the order of the steps.

        Returns the result, which is an entry or an abort, however early that comes. A step that
        asks again is an error.
        """
        return self._finish(self.request("POST", _FLOWS, {"handler": handler}), answers)

    def reconfigure(self, handler: str, entry_id: str, **answers: dict[str, Json]) -> Json:
        """Go through the dialogue that changes an entry, as through a config flow."""
        begun = {"handler": handler, "entry_id": entry_id}
        return self._finish(self.request("POST", _FLOWS, begun), answers)

    def reauthenticate(self, entry_id: str, **answers: dict[str, Json]) -> Json | None:
        """Go through the dialogue that asks for new credentials; None while there is none."""
        wanted = {"source": "reauth", "entry_id": entry_id}
        for flow in self.ws("config_entries/flow/progress"):
            if wanted.items() <= flow["context"].items():
                step = self.request("GET", f"{_FLOWS}/{flow['flow_id']}")
                return self._finish(step, answers)
        return None

    def _finish(self, step: Json, answers: dict[str, dict[str, Json]]) -> Json:
        for expected, answer in answers.items():
            if step["type"] == "abort":
                break
            if step.get("step_id") != expected or step.get("errors"):
                raise ApiError(f"wanted step {expected!r}: {_told(step)}")
            step = self.request("POST", f"{_FLOWS}/{step['flow_id']}", answer)
        if step["type"] not in {"create_entry", "abort"}:
            self.request("DELETE", f"{_FLOWS}/{step['flow_id']}")
            raise ApiError(f"the flow is not finished: {_told(step)}")
        return step

    def set_options(
        self, entry_id: str, page: str, *further: tuple[str, dict[str, Json]], **answer: Json
    ) -> Json:
        """Fill in a page of an entry's options, and the steps after it, and let it reload.

        A refusal is an error.
        """
        step = self.request("POST", _OPTIONS, {"handler": entry_id})
        way: list[tuple[str, dict[str, Json]]] = [("init", {"next_step_id": page})]
        if menu := _MENU_OF.get(page):
            way = [("init", {"next_step_id": menu}), (menu, {"next_step_id": page})]
        answers = [*way, (page, answer), *further]
        for expected, given in answers:
            if step.get("step_id") != expected or step.get("errors"):
                raise ApiError(f"wanted step {expected!r}: {_told(step)}")
            step = self.request("POST", f"{_OPTIONS}/{step['flow_id']}", given)
        if step.get("step_id") == "fits_nothing":
            step = self.request("POST", f"{_OPTIONS}/{step['flow_id']}", CONFIRMED)
        if step["type"] == "menu":  # the preview of a filter
            save = {"next_step_id": step["menu_options"][0]}
            step = self.request("POST", f"{_OPTIONS}/{step['flow_id']}", save)
        if step["type"] != "create_entry":
            raise ApiError(f"the options are not accepted: {_told(step)}")
        self._wait_for_reload(entry_id)
        return step

    def _wait_for_reload(self, entry_id: str) -> None:
        """Wait until an entry is loaded again; meanwhile it tells nothing of itself."""
        deadline = time.monotonic() + _RELOAD_SECONDS
        while self.entry(entry_id)["state"] != "loaded":
            if time.monotonic() > deadline:
                raise ApiError("the entry is not loaded again")
            time.sleep(0.05)

    def add_subentry(self, entry_id: str, kind: str, *further: Json, **answer: Json) -> Json:
        """Add something to an entry, with an answer for each step; a refused input is an error."""
        step = self.request("POST", _SUBENTRIES, {"handler": [entry_id, kind]})
        for given in (answer, *further):
            if step["type"] == "form" and not step.get("errors"):
                step = self.request("POST", f"{_SUBENTRIES}/{step['flow_id']}", given)
        if step["type"] == "menu":  # a preview
            save = {"next_step_id": step["menu_options"][0]}
            step = self.request("POST", f"{_SUBENTRIES}/{step['flow_id']}", save)
        if step["type"] not in {"create_entry", "abort"}:
            raise ApiError(f"it is not added: {_told(step)}")
        self._wait_for_reload(entry_id)
        return step

    def entries(self, domain: str) -> list[Json]:
        """Return the config entries of an integration."""
        return list(self.request("GET", f"{_ENTRIES}?domain={quote(domain)}"))

    def entry(self, entry_id: str) -> Json:
        """Return one config entry."""
        return self.ws("config_entries/get_single", entry_id=entry_id)["config_entry"]

    def reload(self, entry_id: str) -> None:
        """Unload and set up an entry again."""
        self.request("POST", f"{_ENTRIES}/{entry_id}/reload")

    def delete(self, entry_id: str) -> None:
        """Delete an entry."""
        self.request("DELETE", f"{_ENTRIES}/{entry_id}")

    def disable(self, entry_id: str, *, disabled: bool = True) -> None:
        """Disable an entry, or enable it again."""
        by = "user" if disabled else None
        self.ws("config_entries/disable", entry_id=entry_id, disabled_by=by)

    def diagnostics(self, entry_id: str) -> Json:
        """Return what a bug report about an entry would contain; raises unless it is loaded."""
        told = self.request("GET", f"/api/diagnostics/config_entry/{entry_id}")
        if "ledger" not in told["data"]:
            raise ApiError("the entry is not loaded")
        return told

    def ws(self, command: str, **fields: Json) -> Json:
        """Send one WebSocket command and return its result."""
        # A thread of its own: the caller may have an event loop, which is not ours to run.
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(asyncio.run, self._ws(command, fields)).result()

    async def _ws(self, command: str, fields: dict[str, Json]) -> Json:
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket,
            ):
                await socket.receive_json()
                await socket.send_json({"type": "auth", "access_token": self.token})
                if (answer := await socket.receive_json())["type"] != "auth_ok":
                    raise ApiError(
                        f"not logged in: {answer.get('message')}", status=HTTPStatus.UNAUTHORIZED
                    )
                await socket.send_json({"id": 1, "type": command, **fields})
                answer = await socket.receive_json()
        except (aiohttp.ClientError, OSError, TypeError) as err:
            # A TypeError is aiohttp's word for a connection closed instead of an answer.
            raise ApiError(f"{command}: {err!r}") from err
        if not answer["success"]:
            raise ApiError(f"{command}: {answer['error']}")
        return answer["result"]


def _state_path(entity_id: str) -> str:
    return f"/api/states/{quote(entity_id)}"


def _told(step: Json) -> str:
    """Say what a step said, without repeating what was entered."""
    known = ("type", "step_id", "errors", "reason", "description_placeholders")
    return ", ".join(f"{key}={step[key]!r}" for key in known if step.get(key))
