"""From descriptors to the model: every decision about hooks is taken here, every fault is found here."""

from collections.abc import Iterator, Sequence
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
from codegen.naming import RESERVED_METHODS, RESERVED_PARAMETERS, snake_case
from codegen.python_types import MODELS_MODULE, message_module, parameter_type
from codegen.shapes import UnknownShapeError, response_shape

_PACKAGE = "mattermost.pluginapi.v1"
_SERVICE = f"{_PACKAGE}.PluginHooks"
_IMPLEMENTED = "Implemented"
_STREAM_REQUEST, _STREAM_RESPONSE = f".{_PACKAGE}.ServeHTTPRequest", f".{_PACKAGE}.ServeHTTPResponse"

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
        hooks = [hook for rpc in rpcs if rpc is not implemented and (hook := self._hook(rpc)) is not None]
        self._find_collisions(hooks, {rpc.descriptor.name: rpc for rpc in rpcs})
        models = self._models(rpcs)
        if self._faults:
            raise CodegenError("The proto files have faults:", self._faults)
        return Service(
            name=_SERVICE,
            implemented=self._message_import(implemented.descriptor.input_type),
            implemented_response=self._message_import(implemented.descriptor.output_type),
            implemented_path=_path(implemented),
            hooks=tuple(hooks),
            models=models,
        )

    def _fault(self, position: Position, symbol: str, message: str) -> None:
        self._faults.append(Fault(position.file, position.line, symbol, message))

    # Hooks

    def _hook(self, rpc: Rpc) -> Hook | None:
        method = rpc.descriptor
        symbol = f"rpc {method.name}"
        options = self._descriptors.hook_options(method)
        if options is None or not options.minimum_server_version:
            self._fault(
                rpc.position, symbol, "needs option (mattermost.pluginapi.options.hook) with minimum_server_version"
            )
            return None
        if not rpc.doc:
            self._fault(rpc.position, symbol, "needs a comment: it becomes the docstring that authors see")
            return None
        if method.client_streaming or method.server_streaming:
            return self._stream_hook(rpc, options)
        request, response = self._message(method.input_type), self._message(method.output_type)
        content = self._content(request, response)
        try:
            shape = response_shape(response.descriptor.field, content.response_field if content else None)
        except UnknownShapeError as error:
            self._fault(response.position, symbol, str(error))
            return None
        on_error = self._on_error(rpc, options, shape)
        parameters = self._parameters(request, content)
        summary, doc = _split_doc(rpc.doc)
        return Hook(
            name=options.go_name or method.name,
            method=snake_case(options.go_name or method.name),
            path=_path(rpc),
            request=self._message_import(method.input_type),
            response=self._message_import(method.output_type),
            shape=shape,
            parameters=parameters,
            content=content,
            result=_result_type(shape),
            result_words=_result_words(shape),
            on_error=on_error,
            minimum_server_version=options.minimum_server_version,
            summary=summary,
            doc=doc,
        )

    def _stream_hook(self, rpc: Rpc, options: Any) -> Hook | None:
        method = rpc.descriptor
        if (method.input_type, method.output_type) != (_STREAM_REQUEST, _STREAM_RESPONSE) or not (
            method.client_streaming and method.server_streaming
        ):
            self._fault(
                rpc.position,
                f"rpc {method.name}",
                "a streaming hook must be (stream ServeHTTPRequest) returns (stream ServeHTTPResponse)",
            )
            return None
        shape = ResponseShape(Kind.STREAM)
        summary, doc = _split_doc(rpc.doc)
        return Hook(
            name=options.go_name or method.name,
            method=snake_case(options.go_name or method.name),
            path=_path(rpc),
            request=self._message_import(method.input_type),
            response=self._message_import(method.output_type),
            shape=shape,
            parameters=tuple(
                Parameter(name, PythonType(type_, (Import(module, type_),)), "", doc)
                for name, type_, module, doc in _STREAM_PARAMETERS
            ),
            content=None,
            result=PythonType("None"),
            result_words="None",
            on_error=self._on_error(rpc, options, shape),
            minimum_server_version=options.minimum_server_version,
            summary=summary,
            doc=doc,
        )

    def _on_error(self, rpc: Rpc, options: Any, shape: ResponseShape) -> str:
        on_error = _ON_ERROR.get(options.on_error, "")
        if on_error not in shape.on_error_choices:
            choices = " or ".join(f"ON_ERROR_{choice.upper()}" for choice in shape.on_error_choices)
            self._fault(
                rpc.position,
                f"rpc {rpc.descriptor.name}",
                f"on_error must be {choices}: its response can say nothing else about a failed handler",
            )
        return on_error

    def _parameters(self, request: Message, content: Content | None) -> tuple[Parameter, ...]:
        parameters = []
        fields = zip(request.descriptor.field, request.field_docs, request.field_positions, strict=True)
        for field, doc, position in fields:
            if field.name == "context":
                continue
            if content is not None and field.name == content.request_field:
                parameters.append(_stream_parameter(content.reader, "UploadedFile", doc))
                continue
            name = "context" if field.name == "plugin_context" else field.name
            symbol = f"{request.descriptor.name}.{field.name}"
            if name in RESERVED_PARAMETERS:
                self._fault(position, symbol, f"`{name}` cannot name a Python parameter; choose another field name")
            type_ = parameter_type(field)
            if type_ is None or not self._is_known(field):
                self._fault(position, symbol, "its type has no rule for handler parameters")
                continue
            if not doc:
                self._fault(position, symbol, "needs a comment: it documents the handler's parameter")
            parameters.append(Parameter(name, type_, _argument(field), doc))
        if content is not None:
            parameters.append(
                _stream_parameter(content.writer, "ReplacementFile", "Takes what is stored in the content's place.")
            )
        return tuple(parameters)

    def _is_known(self, field: Field) -> bool:
        name = field.type_name.removeprefix(".")
        return not name or name in self._descriptors.messages or name in self._descriptors.enums

    def _content(self, request: Message, response: Message) -> Content | None:
        readers = list(self._content_fields(request, "reader"))
        writers = list(self._content_fields(response, "writer"))
        if not readers and not writers:
            return None
        if len(readers) != 1 or len(writers) != 1:
            self._fault(
                request.position,
                request.descriptor.name,
                "a hook with a content reader needs exactly one, and exactly one writer in its response",
            )
            return None
        (request_field, reader), (response_field, writer) = readers[0], writers[0]
        return Content(request_field, response_field, reader, writer)

    def _content_fields(self, message: Message, role: str) -> Iterator[tuple[str, str]]:
        for field, position in zip(message.descriptor.field, message.field_positions, strict=True):
            options = self._descriptors.field_options(field)
            name = getattr(options, role) if options is not None else ""
            if not name:
                continue
            if field.type != Field.TYPE_BYTES or field.label == Field.LABEL_REPEATED:
                self._fault(position, f"{message.descriptor.name}.{field.name}", f"only bytes can have a {role}")
                continue
            yield field.name, name

    def _find_collisions(self, hooks: Sequence[Hook], rpcs: dict[str, Rpc]) -> None:
        seen: dict[str, Hook] = {}
        for hook in hooks:
            position = rpcs[hook.path.rpartition("/")[2]].position
            if hook.method in RESERVED_METHODS:
                self._fault(position, f"rpc {hook.name}", f"its Python name `{hook.method}` is taken by Plugin itself")
            other = seen.setdefault(hook.method, hook)
            if other is not hook:
                self._fault(
                    position,
                    f"rpc {hook.name}",
                    f"its Python name `{hook.method}` is that of {other.name} too; give one of them a go_name",
                )
            names = [parameter.name for parameter in hook.parameters]
            for name in sorted({name for name in names if names.count(name) > 1}):
                self._fault(position, f"rpc {hook.name}", f"two of its parameters are called `{name}`")

    # Models

    def _models(self, rpcs: Sequence[Rpc]) -> tuple[Import, ...]:
        """What hooks carry, without the envelopes: messages and enums reached from unary requests and responses."""
        envelopes = {name for rpc in rpcs for name in (rpc.descriptor.input_type, rpc.descriptor.output_type)}
        unary = [rpc for rpc in rpcs if not rpc.descriptor.client_streaming]
        waiting = [name for rpc in unary for name in (rpc.descriptor.input_type, rpc.descriptor.output_type)]
        found: set[str] = set()
        while waiting:
            message = self._descriptors.messages[waiting.pop().removeprefix(".")]
            nested = {f".{message.full_name}.{entry.name}": entry for entry in message.descriptor.nested_type}
            fields = [*message.descriptor.field, *(f for entry in nested.values() for f in entry.field)]
            for name in {field.type_name for field in fields if field.type_name.startswith(f".{_PACKAGE}.")}:
                if name not in found and name not in nested:
                    found.add(name)
                    if name.removeprefix(".") in self._descriptors.messages:
                        waiting.append(name)
        return tuple(sorted((self._message_import(name) for name in found - envelopes), key=lambda i: i.name))

    def _message(self, type_name: str) -> Message:
        return self._descriptors.messages[type_name.removeprefix(".")]

    def _message_import(self, type_name: str) -> Import:
        full_name = type_name.removeprefix(".")
        declared = self._descriptors.messages.get(full_name) or self._descriptors.enums[full_name]
        return Import(message_module(declared.file), full_name.rpartition(".")[2])


def _path(rpc: Rpc) -> str:
    return f"/{rpc.service}/{rpc.descriptor.name}"


def _stream_parameter(name: str, type_: str, doc: str) -> Parameter:
    return Parameter(name, PythonType(type_, (Import(_STREAMS_MODULE, type_),)), name, doc)


def _argument(field: Field) -> str:
    if field.proto3_optional:
        return f'request.{field.name} if request.HasField("{field.name}") else None'
    return f"request.{field.name}"


def _split_doc(comment: str) -> tuple[str, str]:
    summary, _, rest = comment.partition("\n\n")
    return summary.replace("\n", " "), rest.strip("\n")


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
    if not parts or shape.can_refuse or (value is not None and value.optional):
        parts.append("None")
    return PythonType(" | ".join(parts), tuple(imports))


def _result_words(shape: ResponseShape) -> str:
    parts = [shape.value.words] if shape.value is not None else []
    if shape.can_refuse:
        parts.append("Reject")
    if not parts or shape.can_refuse or (shape.value is not None and shape.value.optional):
        parts.append("None")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
