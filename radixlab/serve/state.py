"""What the routes of one server share."""

from dataclasses import dataclass

from fastapi import Request

from radixlab.serve.access_log import AccessLog, Entry
from radixlab.serve.backend import Backend
from radixlab.serve.errors import ApiError, not_ready
from radixlab.serve.mailbox import EngineError
from radixlab.serve.prompts import Prompts
from radixlab.serve.settings import Settings


@dataclass(slots=True)
class State:
    """The engine, the settings and the log."""

    llm: Backend
    settings: Settings
    log: AccessLog
    started: int
    """Seconds since 1970, for `created` in `/v1/models`."""
    _prompts: Prompts | None = None

    @property
    def prompts(self) -> Prompts:
        """What reads prompts; raises an `ApiError` unless the engine can answer."""
        if self.llm.state != "ready":
            raise not_ready(f"The server is not ready: {self.llm.why_not_ready}.")
        if self._prompts is None:
            try:
                self._prompts = Prompts(self.llm.facts)
            except EngineError as error:
                raise not_ready(str(error)) from None
        return self._prompts

    def check_model(self, name: str | None) -> str:
        """Return the name of the model; raise an `ApiError` for another."""
        names = self.settings.names
        if name is None or name in names:
            return name or names[0]
        raise ApiError(
            404,
            f"The model '{name}' does not exist; this server has {', '.join(names)}.",
            param="model",
            code="model_not_found",
        )


def state_of(request: Request) -> State:
    """Return the state of the server that got this request."""
    state: State = request.app.state.radixlab
    return state


def entry_of(request: Request) -> Entry:
    """Return the request's entry in the access log."""
    entry: Entry = request.scope["radixlab.entry"]
    return entry
