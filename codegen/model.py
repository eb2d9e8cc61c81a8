"""What the templates print. Every name, type, default and order is decided before it gets here."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a hook can answer, inferred from the shape of its response."""

    NOTIFY = "notify"
    """Nothing: the response has no field."""
    ACTION = "action"
    """Success or an error."""
    VALUE = "value"
    """A value, and perhaps an error beside it."""
    FILTER = "filter"
    """Consent, a replacement or a refusal."""
    STREAM = "stream"
    """An HTTP exchange, streamed both ways."""


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """A name that generated code takes from a module."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class PythonType:
    """A type annotation and what it needs imported."""

    expression: str
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a handler."""

    name: str
    type: PythonType
    expression: str
    """How an adapter gets it from `request`."""
    doc: str


# What proto3 reads from a plain field that was not sent.
_ZEROS = {"bool": "False", "bytes": 'b""', "float": "0.0", "int": "0", "str": '""'}


@dataclass(frozen=True, slots=True)
class ResultField:
    """The response field that carries a handler's result."""

    name: str
    type: PythonType
    """Type of the value, or of one element if the field is repeated."""
    repeated: bool
    is_message: bool
    optional: bool
    """Whether a handler may return None instead."""
    doc: str

    @property
    def zero(self) -> str:
        """What an answer without the value says, as Python code; empty if it says "nothing"."""
        return "" if self.optional else _ZEROS[self.type.expression]

    @property
    def annotation(self) -> str:
        """The type as a handler's result."""
        whole = f"Sequence[{self.type.expression}]" if self.repeated else self.type.expression
        return f"{whole} | None" if self.optional else whole

    @property
    def words(self) -> str:
        """The type in an error message."""
        return f"a sequence of {self.type.expression}" if self.repeated else self.type.expression


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content that goes through a handler: read from the request, written to the response."""

    request_field: str
    response_field: str
    reader: str
    """Name of the parameter that reads it."""
    writer: str
    """Name of the parameter that takes its replacement."""


@dataclass(frozen=True, slots=True)
class ResponseShape:
    """How a hook's response carries each outcome."""

    kind: Kind
    has_error: bool = False
    has_rejection: bool = False
    value: ResultField | None = None

    @property
    def can_refuse(self) -> bool:
        """Whether a handler may return Reject."""
        return self.kind is Kind.FILTER

    @property
    def may_be_none(self) -> bool:
        """Whether a handler may return None."""
        return self.value is None or self.value.optional or self.can_refuse

    @property
    def on_error_choices(self) -> tuple[str, ...]:
        """What a failure of the handler can be made to mean, the strictest last."""
        if self.has_error:
            return ("allow", "error")
        if self.kind is Kind.STREAM:
            return ("error",)
        if self.has_rejection:
            return ("allow", "reject")
        return ("allow",)


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook: one rpc of the service."""

    name: str
    """Go name."""
    method: str
    """Name of the Python stub."""
    path: str
    """The rpc's path on the wire."""
    request: Import
    response: Import
    shape: ResponseShape
    parameters: tuple[Parameter, ...]
    content: Content | None
    result: PythonType
    """What a handler returns."""
    result_words: str
    """The same in an error message."""
    on_error: str
    """What a failure means unless the author says otherwise."""
    minimum_server_version: str
    summary: str
    doc: str

    @property
    def kind(self) -> Kind:
        """What the hook can answer."""
        return self.shape.kind

    @property
    def parameter_types(self) -> str:
        """The parameters' annotations, as in Callable[[...], ...]."""
        return ", ".join(parameter.type.expression for parameter in self.parameters)


@dataclass(frozen=True, slots=True)
class Service:
    """The hook service and everything that its templates need."""

    name: str
    """Full proto name."""
    implemented: Import
    """Request class of the rpc that lists the plugin's hooks."""
    implemented_response: Import
    implemented_path: str
    hooks: tuple[Hook, ...]
    models: tuple[Import, ...]
    """Messages and enums that authors meet, under their short names."""
