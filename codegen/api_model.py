"""What the templates of the plugin API print. Every name, type, default and order is decided before it gets here."""

from dataclasses import dataclass
from typing import Final

from codegen.model import Import, PythonType

DEFAULT_PAGE_SIZE: Final = 200
"""How many items an iterator asks for at once. The server's REST API allows as many."""


@dataclass(frozen=True, slots=True)
class ApiParameter:
    """A parameter of a method of the clients."""

    name: str
    type: PythonType
    default: str
    """The default as Python prints it; "" if callers must give it."""
    expression: str
    """What becomes the request's field."""
    is_list: bool
    is_nullable: bool
    doc: str


@dataclass(frozen=True, slots=True)
class ApiResult:
    """A field of a response that callers get."""

    name: str
    type: PythonType
    expression: str
    """How a client gets it from `response`."""
    doc: str


@dataclass(frozen=True, slots=True)
class ApiIterator:
    """A method of the clients that goes through all pages of another one."""

    method: str
    """Its name."""
    item: PythonType
    parameters: tuple[ApiParameter, ...]
    arguments: tuple[tuple[str, str], ...]
    """What it gives the other method at each call: names and expressions in terms of `walk` and its parameters."""
    rows: str
    """How it gets the items from the other method's `answer`."""
    imports: tuple[Import, ...]
    """What parameters, item and arguments need."""
    has_numbers: bool
    """Whether the pages have numbers; else each one goes on after the last item of the one before."""
    options: tuple[tuple[str, str], ...]
    """The parameters that hold the page, each with those of its fields that the iterator sets, in words."""
    has_more: bool
    """Whether an answer holds more than the items."""
    is_reversed: bool
    """Whether the items of a page are turned round."""


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """A method of the plugin API: one rpc of the service."""

    name: str
    """Go name."""
    method: str
    """Name of the clients' method."""
    constant: str
    """Name of its row in the table of methods."""
    path: str
    """The rpc's path on the wire."""
    request: Import
    response: Import
    parameters: tuple[ApiParameter, ...]
    results: tuple[ApiResult, ...]
    repeatable: bool
    minimum_server_version: str
    summary: str
    doc: str
    iterator: ApiIterator | None
    """The method that goes through its pages; None if it has no pages."""

    @property
    def result_class(self) -> str:
        """Name of the NamedTuple that carries several results; "" if there are not several."""
        return f"{self.name}Result" if len(self.results) > 1 else ""

    @property
    def result_expression(self) -> str:
        """The annotation of what a call returns."""
        if self.result_class:
            return self.result_class
        return self.results[0].type.expression if self.results else "None"

    @property
    def lists(self) -> tuple[str, ...]:
        """The parameters that are lists."""
        return tuple(parameter.name for parameter in self.parameters if parameter.is_list)

    @property
    def nullable(self) -> tuple[str, ...]:
        """The parameters that may be None."""
        return tuple(parameter.name for parameter in self.parameters if parameter.is_nullable)

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the types of parameters and results need, and the iterator."""
        types = [*(parameter.type for parameter in self.parameters), *(result.type for result in self.results)]
        of_iterator = self.iterator.imports if self.iterator is not None else ()
        return (*(wanted for type_ in types for wanted in type_.imports), *of_iterator)


@dataclass(frozen=True, slots=True)
class ApiService:
    """The service of the plugin API and everything that its templates need."""

    name: str
    """Full proto name."""
    methods: tuple[ApiMethod, ...]
    models: tuple[Import, ...]
    """Messages and enums that callers meet, under their short names."""
