"""From descriptors to the model of the plugin API: every decision is taken here, every fault is found here."""

import keyword
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.api_fields import FieldRuleError, api_parameter, api_result
from codegen.api_model import ApiIterator, ApiMethod, ApiParameter, ApiResult, ApiService
from codegen.api_pages import api_iterator
from codegen.descriptors import Descriptors, Message, Position, Rpc
from codegen.errors import CodegenError, Fault
from codegen.naming import RESERVED_API_METHODS, RESERVED_API_PARAMETERS, RESERVED_RESULTS, is_go_name, snake_case
from codegen.python_types import CONTRACT_PACKAGE
from codegen.reach import message_import, reached_models
from codegen.rpcs import SERVER_VERSION, rpc_path, rpc_symbol, split_doc

_SERVICE = f"{CONTRACT_PACKAGE}.PluginAPI"
_APP_ERROR = f".{CONTRACT_PACKAGE}.AppError"


def build_api(descriptors: Descriptors) -> ApiService | None:
    """Build the model of the plugin API; None if the proto files declare no such service.

    Raises:
        CodegenError: the proto files declare something that has no rule; the error lists every such place.
    """
    rpcs = descriptors.services.get(_SERVICE)
    return _Builder(descriptors, rpcs).service() if rpcs is not None else None


class _Builder:
    def __init__(self, descriptors: Descriptors, rpcs: Sequence[Rpc]) -> None:
        self._descriptors = descriptors
        self._rpcs = rpcs
        self._faults: list[Fault] = []

    def service(self) -> ApiService:
        methods = [method for rpc in self._rpcs if (method := self._method(rpc)) is not None]
        self._check_names()
        self._check_iterator_names(methods)
        if self._faults:
            raise CodegenError("The proto files have faults:", self._faults)
        return ApiService(_SERVICE, tuple(methods), reached_models(self._descriptors, self._rpcs))

    def _fault(self, position: Position, symbol: str, message: str) -> None:
        self._faults.append(Fault(position.file, position.line, symbol, message))

    # Methods

    def _method(self, rpc: Rpc) -> ApiMethod | None:
        """The method of an rpc; None if it has faults."""
        faults_before = len(self._faults)
        options = self._options(rpc)
        if not rpc.doc:
            self._fault(rpc.position, rpc_symbol(rpc), "needs a comment: it becomes the docstring that authors see")
        if rpc.descriptor.client_streaming or rpc.descriptor.server_streaming:
            self._fault(rpc.position, rpc_symbol(rpc), "an API method must not be a stream")
        if not self._has_known_messages(rpc):
            return None
        request, response = self._message(rpc.descriptor.input_type), self._message(rpc.descriptor.output_type)
        parameters, results = self._parameters(request), self._results(rpc, response)
        if options is None or len(self._faults) > faults_before:
            return None
        name = self._go_name(rpc)
        summary, doc = split_doc(rpc.doc)
        return ApiMethod(
            name=name,
            method=snake_case(name),
            constant=snake_case(name).upper(),
            path=rpc_path(rpc),
            request=message_import(self._descriptors, rpc.descriptor.input_type),
            response=message_import(self._descriptors, rpc.descriptor.output_type),
            parameters=parameters,
            results=results,
            repeatable=options.repeatable,
            minimum_server_version=options.minimum_server_version,
            summary=summary,
            doc=doc,
            iterator=self._iterator(rpc, request, response, parameters, is_reversed=options.reversed_pages),
        )

    def _options(self, rpc: Rpc) -> Any | None:
        options = self._descriptors.api_options(rpc.descriptor)
        if options is None or not options.minimum_server_version:
            self._fault(
                rpc.position,
                rpc_symbol(rpc),
                "needs option (mattermost.pluginapi.options.api) with minimum_server_version",
            )
            return None
        version = options.minimum_server_version
        if not SERVER_VERSION.fullmatch(version):
            message = f'minimum_server_version must look like "10.5" or "10.5.2", not {version!r}'
            self._fault(rpc.position, rpc_symbol(rpc), message)
        return options

    def _go_name(self, rpc: Rpc) -> str:
        options = self._descriptors.api_options(rpc.descriptor)
        return (options.go_name if options is not None else "") or rpc.descriptor.name

    def _has_known_messages(self, rpc: Rpc) -> bool:
        types = (rpc.descriptor.input_type, rpc.descriptor.output_type)
        unknown = [name for name in types if name.removeprefix(".") not in self._descriptors.messages]
        for name in unknown:
            message = f"{name.removeprefix('.')} must not be nested in another message"
            self._fault(rpc.position, rpc_symbol(rpc), message)
        return not unknown

    # Parameters and results

    def _parameters(self, request: Message) -> tuple[ApiParameter, ...]:
        parameters: list[ApiParameter] = []
        for field, doc, position, symbol in _fields(request):
            options = self._descriptors.field_options(field)
            if field.name in RESERVED_API_PARAMETERS:
                self._fault(position, symbol, f"`{field.name}` cannot name a Python parameter; choose another name")
            if not doc:
                self._fault(position, symbol, "needs a comment: it documents the method's parameter")
            if options is not None and options.nullable:
                self._fault(position, symbol, "nullable belongs on a field of a response")
            default = options.default_value if options is not None else ""
            if not default and parameters and parameters[-1].default:
                self._fault(position, symbol, f"needs a default_value, for `{parameters[-1].name}` before it has one")
            try:
                parameters.append(api_parameter(request, field, default, doc))
            except FieldRuleError as error:
                self._fault(position, symbol, str(error))
        return tuple(parameters)

    def _results(self, rpc: Rpc, response: Message) -> tuple[ApiResult, ...]:
        results: list[ApiResult] = []
        has_error = False
        for field, doc, position, symbol in _fields(response):
            options = self._descriptors.field_options(field)
            if options is not None and options.default_value:
                self._fault(position, symbol, "default_value belongs on a field of a request")
            if field.name == "error":
                has_error = field.type_name == _APP_ERROR and field.label != Field.LABEL_REPEATED
                continue
            if not doc:
                self._fault(position, symbol, "needs a comment: it documents the method's result")
            try:
                nullable = options is not None and options.nullable
                results.append(api_result(response, field, nullable=nullable, doc=doc))
            except FieldRuleError as error:
                self._fault(position, symbol, str(error))
        if not has_error:
            self._fault(response.position, rpc_symbol(rpc), "the response needs a field `error`, which is an AppError")
        if len(results) > 1:
            self._check_result_names(response)
        return tuple(results)

    def _check_result_names(self, response: Message) -> None:
        for field, _, position, symbol in _fields(response):
            if field.name in RESERVED_RESULTS or keyword.iskeyword(field.name) or field.name.startswith("_"):
                self._fault(position, symbol, f"`{field.name}` cannot name one of several results; choose another name")

    def _iterator(
        self,
        rpc: Rpc,
        request: Message,
        response: Message,
        parameters: tuple[ApiParameter, ...],
        *,
        is_reversed: bool,
    ) -> ApiIterator | None:
        method = snake_case(self._go_name(rpc))
        try:
            return api_iterator(self._descriptors, method, request, response, parameters, is_reversed=is_reversed)
        except FieldRuleError as error:
            self._fault(rpc.position, rpc_symbol(rpc), str(error))
        return None

    # Names

    def _check_names(self) -> None:
        seen: dict[str, Rpc] = {}
        for rpc in self._rpcs:
            name = self._go_name(rpc)
            if not is_go_name(name):
                message = f"{name!r} cannot name a method; use a name like GetUser"
                self._fault(rpc.position, rpc_symbol(rpc), message)
                continue
            method = snake_case(name)
            if method in RESERVED_API_METHODS:
                message = f"its Python name `{method}` is reserved; give it a go_name"
                self._fault(rpc.position, rpc_symbol(rpc), message)
            other = seen.setdefault(method, rpc)
            if other is not rpc:
                message = f"its Python name `{method}` is that of {rpc_symbol(other)} too; give one of them a go_name"
                self._fault(rpc.position, rpc_symbol(rpc), message)

    def _check_iterator_names(self, methods: Sequence[ApiMethod]) -> None:
        iterators = {method.iterator.method: method.name for method in methods if method.iterator is not None}
        for rpc in self._rpcs:
            name = snake_case(self._go_name(rpc))
            if name in iterators:
                message = f"its Python name `{name}` is that of the iterator of {iterators[name]}; give it a go_name"
                self._fault(rpc.position, rpc_symbol(rpc), message)

    def _message(self, type_name: str) -> Message:
        return self._descriptors.messages[type_name.removeprefix(".")]


def _fields(message: Message) -> Iterator[tuple[Field, str, Position, str]]:
    """Each field with its comment, its position and what a fault calls it."""
    for field, doc, position in zip(message.descriptor.field, message.field_docs, message.field_positions, strict=True):
        yield field, doc, position, f"{message.descriptor.name}.{field.name}"
