"""From descriptors to the model: every decision about hooks is taken here, every fault is found here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.descriptors import Descriptors, Message, Position, Rpc
from codegen.errors import CodegenError, Fault
from codegen.model import (
    Content,
    Hook,
    Import,
    Kind,
    Parameter,
    PythonType,
    ResponseShape,
    Service,
)
from codegen.naming import RESERVED_METHODS, RESERVED_PARAMETERS, is_go_name, snake_case
from codegen.python_types import CONTRACT_PACKAGE, MODELS_MODULE, parameter_type
from codegen.reach import ALWAYS_NEEDED, message_import, reached_models
from codegen.rpcs import SERVER_VERSION, rpc_path, rpc_symbol, split_doc
from codegen.shapes import UnknownShapeError, response_shape

_SERVICE = f"{CONTRACT_PACKAGE}.PluginHooks"
_IMPLEMENTED = "Implemented"
_STREAM_REQUEST, _STREAM_RESPONSE = f".{CONTRACT_PACKAGE}.ServeHTTPRequest", f".{CONTRACT_PACKAGE}.ServeHTTPResponse"
_REQUEST_CONTEXT = f".{CONTRACT_PACKAGE}.RequestContext"

_RESULTS_MODULE = "mattermost_pluginapi.hooks.results"
_STREAMS_MODULE = "mattermost_pluginapi.hooks.streams"
_ON_ERROR = {1: "allow", 2: "reject", 3: "error"}

_STREAM_PARAMETERS = (
    ("context", "PluginContext", MODELS_MODULE, "Session, request id and client of the request."),
    ("writer", "ResponseWriter", _STREAMS_MODULE, "Takes the response."),
    ("request", "HTTPRequest", _STREAMS_MODULE, "The request, its body still arriving."),
)


def build_service(descriptors: Descriptors) -> Service:
    """Build the model of the hook service.

    Raises:
        CodegenError: the proto files declare something that has no rule; the error lists every such place.
    """
    return _Builder(descriptors).service()


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a handler takes and answers."""

    shape: ResponseShape
    parameters: tuple[Parameter, ...]
    content: Content | None = None


class _Builder:
    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors
        self._faults: list[Fault] = []

    def service(self) -> Service:
        rpcs = self._descriptors.services.get(_SERVICE)
        if rpcs is None:
            raise CodegenError(f"The proto files declare no service {_SERVICE}")
        implemented = next((rpc for rpc in rpcs if rpc.descriptor.name == _IMPLEMENTED), None)
        if implemented is None:
            raise CodegenError(f"{_SERVICE} has no rpc {_IMPLEMENTED}, which hosts ask first")
        for name in ALWAYS_NEEDED:
            if name.removeprefix(".") not in self._descriptors.messages:
                raise CodegenError(f"The proto files declare no message {name.removeprefix('.')}")
        self._has_known_messages(implemented)
        rpcs_of_hooks = [rpc for rpc in rpcs if rpc is not implemented]
        hooks = [hook for rpc in rpcs_of_hooks if (hook := self._hook(rpc)) is not None]
        self._check_names(rpcs_of_hooks)
        if self._faults:
            raise CodegenError("The proto files have faults:", self._faults)
        return Service(
            name=_SERVICE,
            implemented=message_import(self._descriptors, implemented.descriptor.input_type),
            implemented_response=message_import(self._descriptors, implemented.descriptor.output_type),
            implemented_path=rpc_path(implemented),
            hooks=tuple(hooks),
            models=reached_models(self._descriptors, rpcs),
        )

    def _fault(self, position: Position, symbol: str, message: str) -> None:
        self._faults.append(Fault(position.file, position.line, symbol, message))

    # Hooks

    def _hook(self, rpc: Rpc) -> Hook | None:
        """The hook of an rpc; None if it has faults."""
        method = rpc.descriptor
        faults_before = len(self._faults)
        options = self._options(rpc)
        if not rpc.doc:
            self._fault(rpc.position, rpc_symbol(rpc), "needs a comment: it becomes the docstring that authors see")
        is_streaming = method.client_streaming or method.server_streaming
        signature = self._stream_signature(rpc) if is_streaming else self._unary_signature(rpc)
        if options is None or signature is None:
            return None
        on_error = self._on_error(rpc, options, signature.shape)
        if len(self._faults) > faults_before:
            return None
        summary, doc = split_doc(rpc.doc)
        name = self._go_name(rpc)
        return Hook(
            name=name,
            method=snake_case(name),
            path=rpc_path(rpc),
            request=message_import(self._descriptors, method.input_type),
            response=message_import(self._descriptors, method.output_type),
            shape=signature.shape,
            parameters=signature.parameters,
            content=signature.content,
            result=_result_type(signature.shape),
            result_words=_result_words(signature.shape),
            on_error=on_error,
            minimum_server_version=options.minimum_server_version,
            summary=summary,
            doc=doc,
        )

    def _options(self, rpc: Rpc) -> Any | None:
        options = self._descriptors.hook_options(rpc.descriptor)
        if options is None or not options.minimum_server_version:
            self._fault(
                rpc.position,
                rpc_symbol(rpc),
                "needs option (mattermost.pluginapi.options.hook) with minimum_server_version",
            )
            return None
        if not SERVER_VERSION.fullmatch(options.minimum_server_version):
            self._fault(
                rpc.position,
                rpc_symbol(rpc),
                f'minimum_server_version must look like "10.5" or "10.5.2", not {options.minimum_server_version!r}',
            )
        return options

    def _go_name(self, rpc: Rpc) -> str:
        options = self._descriptors.hook_options(rpc.descriptor)
        return (options.go_name if options is not None else "") or rpc.descriptor.name

    def _stream_signature(self, rpc: Rpc) -> _Signature | None:
        method = rpc.descriptor
        if (method.input_type, method.output_type) != (_STREAM_REQUEST, _STREAM_RESPONSE) or not (
            method.client_streaming and method.server_streaming
        ):
            self._fault(
                rpc.position,
                rpc_symbol(rpc),
                "a streaming hook must be (stream ServeHTTPRequest) returns (stream ServeHTTPResponse)",
            )
            return None
        parameters = (
            Parameter(name, PythonType(type_, (Import(module, type_),)), "", doc)
            for name, type_, module, doc in _STREAM_PARAMETERS
        )
        return _Signature(ResponseShape(Kind.STREAM), tuple(parameters))

    def _unary_signature(self, rpc: Rpc) -> _Signature | None:
        if not self._has_known_messages(rpc):
            return None
        request, response = self._message(rpc.descriptor.input_type), self._message(rpc.descriptor.output_type)
        content = self._content(request, response)
        parameters = self._parameters(request, content)
        # Even where content is None for a fault, what is marked as content is no result.
        written = [field.name for role in ("reader", "writer") for field, _, _ in self._marked(response, role)]
        names = [field.name for field in response.descriptor.field]
        try:
            shape = response_shape(
                response.descriptor.field, written, dict(zip(names, response.field_docs, strict=True))
            )
        except UnknownShapeError as error:
            self._fault(response.position, rpc_symbol(rpc), str(error))
            return None
        if shape.value is not None and not shape.value.doc:
            self._fault(
                response.field_positions[names.index(shape.value.name)],
                f"{response.descriptor.name}.{shape.value.name}",
                "needs a comment: it documents the handler's result",
            )
        if content is not None and not _can_answer_content(shape):
            self._fault(
                response.position,
                rpc_symbol(rpc),
                "a hook with a content reader must answer `rejection_reason` and one modified_... message",
            )
        return _Signature(shape, parameters, content)

    def _has_known_messages(self, rpc: Rpc) -> bool:
        types = (rpc.descriptor.input_type, rpc.descriptor.output_type)
        nested = [name for name in types if name.removeprefix(".") not in self._descriptors.messages]
        for name in nested:
            self._fault(
                rpc.position, rpc_symbol(rpc), f"{name.removeprefix('.')} must not be nested in another message"
            )
        return not nested

    def _on_error(self, rpc: Rpc, options: Any, shape: ResponseShape) -> str:
        on_error = _ON_ERROR.get(options.on_error, "")
        if on_error not in shape.on_error_choices:
            choices = " or ".join(f"ON_ERROR_{choice.upper()}" for choice in shape.on_error_choices)
            self._fault(
                rpc.position,
                rpc_symbol(rpc),
                f"on_error must be {choices}: its response can say nothing else about a failed handler",
            )
        return on_error

    # Parameters

    def _parameters(self, request: Message, content: Content | None) -> tuple[Parameter, ...]:
        parameters = []
        fields = zip(request.descriptor.field, request.field_docs, request.field_positions, strict=True)
        for field, doc, position in fields:
            symbol = f"{request.descriptor.name}.{field.name}"
            if field.name == "context":
                # Handlers do not see it: their `context` is the field plugin_context.
                if field.type_name != _REQUEST_CONTEXT:
                    self._fault(position, symbol, "`context` is kept for a RequestContext; choose another field name")
                continue
            if not doc:
                self._fault(position, symbol, "needs a comment: it documents the handler's parameter")
            if content is not None and field.name == content.request_field:
                parameters.append(_content_parameter(content.reader, "UploadedFile", "file", doc))
                continue
            name = "context" if field.name == "plugin_context" else field.name
            self._check_parameter_name(name, position, symbol)
            type_ = parameter_type(field)
            if type_ is None:
                self._fault(position, symbol, "its type has no rule for handler parameters")
                continue
            parameters.append(Parameter(name, type_, _argument(field), doc))
        if content is not None:
            doc = "Takes what is stored in the content's place."
            parameters.append(_content_parameter(content.writer, "ReplacementFile", "output", doc))
        names = [parameter.name for parameter in parameters]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._fault(request.position, request.descriptor.name, f"gives the handler two parameters called `{name}`")
        return tuple(parameters)

    def _check_parameter_name(self, name: str, position: Position, symbol: str) -> None:
        if name in RESERVED_PARAMETERS or not name.isidentifier():
            self._fault(position, symbol, f"`{name}` cannot name a Python parameter; choose another name")

    def _content(self, request: Message, response: Message) -> Content | None:
        readers, writers = list(self._marked(request, "reader")), list(self._marked(response, "writer"))
        for message, role, place in ((request, "writer", "response"), (response, "reader", "request")):
            for field, position, _ in self._marked(message, role):
                symbol = f"{message.descriptor.name}.{field.name}"
                self._fault(position, symbol, f"a {role} belongs on a field of a {place}")
        for message, role, marked in ((request, "reader", readers), (response, "writer", writers)):
            for field, position, name in marked:
                self._check_content_field(f"{message.descriptor.name}.{field.name}", field, position, role, name)
        if not readers and not writers:
            return None
        if len(readers) != 1 or len(writers) != 1:
            self._fault(
                request.position,
                request.descriptor.name,
                "a hook with a content reader needs exactly one, and exactly one writer in its response",
            )
            return None
        (read, _, reader), (written, _, writer) = readers[0], writers[0]
        return Content(read.name, written.name, reader, writer)

    def _marked(self, message: Message, role: str) -> Iterator[tuple[Field, Position, str]]:
        """The fields with that role for a file's content, and the name of the parameter that stands for each."""
        for field, position in zip(message.descriptor.field, message.field_positions, strict=True):
            options = self._descriptors.field_options(field)
            name = getattr(options, role) if options is not None else ""
            if name:
                yield field, position, name

    def _check_content_field(self, symbol: str, field: Field, position: Position, role: str, name: str) -> None:
        if field.type != Field.TYPE_BYTES or field.label == Field.LABEL_REPEATED:
            self._fault(position, symbol, f"only bytes can have a {role}")
        for used in (field.name, name):
            self._check_parameter_name(used, position, symbol)

    # Names

    def _check_names(self, rpcs: Sequence[Rpc]) -> None:
        seen: dict[str, Rpc] = {}
        for rpc in rpcs:
            name = self._go_name(rpc)
            if not is_go_name(name) or name == _IMPLEMENTED:
                self._fault(rpc.position, rpc_symbol(rpc), f"{name!r} cannot name a hook; use a name like OnActivate")
                continue
            method = snake_case(name)
            if method in RESERVED_METHODS:
                self._fault(rpc.position, rpc_symbol(rpc), f"its Python name `{method}` is reserved; give it a go_name")
            other = seen.setdefault(method, rpc)
            if other is not rpc:
                self._fault(
                    rpc.position,
                    rpc_symbol(rpc),
                    f"its Python name `{method}` is that of {rpc_symbol(other)} too; give one of them a go_name",
                )

    def _message(self, type_name: str) -> Message:
        return self._descriptors.messages[type_name.removeprefix(".")]


def _content_parameter(name: str, type_: str, expression: str, doc: str) -> Parameter:
    return Parameter(name, PythonType(type_, (Import(_STREAMS_MODULE, type_),)), expression, doc)


def _can_answer_content(shape: ResponseShape) -> bool:
    return shape.has_rejection and shape.value is not None and shape.value.is_message and not shape.value.repeated


def _argument(field: Field) -> str:
    if field.proto3_optional:
        return f'request.{field.name} if request.HasField("{field.name}") else None'
    return f"request.{field.name}"


def _result_type(shape: ResponseShape) -> PythonType:
    value = shape.value
    parts: list[str] = []
    imports: list[Import] = []
    if value is not None:
        parts.append(value.annotation.removesuffix(" | None"))
        imports.extend(value.type.imports)
    if shape.can_refuse:
        parts.append("Reject")
        imports.append(Import(_RESULTS_MODULE, "Reject"))
    if shape.may_be_none:
        parts.append("None")
    return PythonType(" | ".join(parts), tuple(imports))


def _result_words(shape: ResponseShape) -> str:
    parts = [shape.value.words] if shape.value is not None else []
    if shape.can_refuse:
        parts.append("Reject")
    if shape.may_be_none:
        parts.append("None")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
