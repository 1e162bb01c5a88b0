"""The parts of the owner's page for whoever is signed in: each asks the unit, and is written by a view."""

from __future__ import annotations

import json
from dataclasses import replace

from companion.owner import views, views_access, views_memory
from companion.owner.access import Access
from companion.owner.change_log import ChangeLog
from companion.owner.changes import Changes
from companion.owner.controls import Guarded, Unit
from companion.owner.frame import PARTS, Sight, address_of
from companion.owner.web import NotAdmitted, Request, Response

_PARTS = {address_of(part): part for part in PARTS}
_PART_OF = {"/person": "memory", "/forget": "memory", "/export": "memory", "/reset": "access"}


class Pages:
    """See the head of this file."""

    def __init__(self, unit: Unit, access: Access, log: ChangeLog, changes: Changes) -> None:
        self._unit, self._access, self._log, self._changes = unit, access, log, changes

    async def page(self, request: Request, sight: Sight) -> Response:
        """What is at the request's path. Raises `NotAdmitted` where there is nothing, `CompanionError`."""
        if request.path == "/export":
            return await self._export(request)
        guarded = await self._unit.ask(lambda controls: controls.guarded())
        return Response(200, await self._written(request, sight, request.path, guarded))

    async def again(self, request: Request, sight: Sight) -> bytes:
        """The page whose form was refused."""
        shown = {"/correct": "/person", "/forget-entry": "/person", "/let-in": "/person", "/limits": "/time",
                 "/keep-words": "/protection", "/consent": "/protection", "/clear": "/protection",
                 "/persona": "/character", "/mute": "/", "/unmute": "/", "/stop": "/", "/volume": "/",
                 "/forget": "/forget", "/reset": "/reset"}  # fmt: skip
        guarded = await self._unit.ask(lambda controls: controls.guarded())
        return await self._written(request, sight, shown.get(request.path, "/access"), guarded)

    async def _written(self, request: Request, sight: Sight, path: str, guarded: Guarded) -> bytes:
        part = _PARTS.get(path) or _PART_OF.get(path)
        if part is None:
            raise NotAdmitted(404, "There is nothing here.")
        sight = replace(sight, part=part, has_notices=bool(guarded.notices))
        unit, session = self._unit, request.session
        assert session is not None
        match path:
            case "/":
                return views.overview(sight, await unit.ask(lambda controls: controls.overview()))
            case "/time":
                return views.time(sight, await unit.ask(lambda controls: controls.overview()))
            case "/memory":
                return views_memory.persons(sight, await unit.ask(lambda controls: controls.persons()))
            case "/person":
                persona, name = _whom(request)
                found = await unit.ask(lambda controls: controls.person(persona, name))
                if found is None:
                    return views_memory.persons(sight, await unit.ask(lambda controls: controls.persons()))
                return views_memory.person(sight, found)
            case "/forget":
                return views_memory.forget(sight, *_whom(request))
            case "/protection":
                return views.protection(sight, await unit.ask(lambda controls: controls.overview()), guarded)
            case "/character":
                choices = await unit.ask(lambda controls: controls.personas())
                return views.character(sight, choices, await unit.ask(lambda controls: controls.wake_word()))
            case "/health":
                seen = await unit.ask(lambda controls: controls.overview())
                return views.health(sight, seen, self._log.newest())
            case "/reset":
                return views_access.reset(sight)
            case _:
                return views_access.access(sight, session, self._access.living(), self._access.kept.telephones)

    async def _export(self, request: Request) -> Response:
        persona, name = _whom(request)
        found = await self._unit.ask(lambda controls: controls.export(persona, name))
        self._changes.put_down(request, "exported")
        data = json.dumps({"persona": persona, "persons": found}, ensure_ascii=False, indent=2, default=str)
        attached = ((b"content-disposition", b'attachment; filename="memories.json"'),)
        return Response(200, data.encode(), "application/json; charset=utf-8", extra=attached)


def _whom(request: Request) -> tuple[str, str]:
    given = request.form if request.method == "POST" else request.query
    return given.get("persona", "")[:200], given.get("person", "")[:200]
