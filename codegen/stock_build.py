"""From the Go structs of the stock wire and the proto files to the map between them: every decision is taken here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.descriptors import Descriptors, Message, Rpc
from codegen.errors import CodegenError, Fault
from codegen.naming import snake_case
from codegen.python_types import CONTRACT_PACKAGE, message_module
from codegen.stock_fields import NoConversionError, declared_conversion, free_conversion, scalar_conversion
from codegen.stock_model import StockField, StockMethod, StockStruct, StockWire
from codegen.stock_reach import reached_types
from codegen.stock_types import GoField, GoMethod, GoType, StockRpc, load_stock_rpc
from codegen.stock_unmapped import Unmapped

RPC_FILE, UNMAPPED_FILE = "stock/rpc.json", "stock/unmapped.toml"
_PREFIX = f".{CONTRACT_PACKAGE}."
_CONTEXT = "plugin.Context"
_ENVELOPE = ("context", "plugin_context", "error")


def build_stock_wire(descriptors: Descriptors, protos: Path) -> StockWire | None:
    """Build the map; None if there is no list of the stock wire's types beside the proto files.

    Raises:
        CodegenError: a field has no counterpart and is not listed as one without; the error names all of them.
    """
    path = protos / RPC_FILE
    if not path.exists():
        return None
    unmapped = Unmapped.load(protos / UNMAPPED_FILE)
    return _Builder(descriptors, load_stock_rpc(path, unmapped.newer), unmapped).wire()


class _Builder:
    def __init__(self, descriptors: Descriptors, stock: StockRpc, unmapped: Unmapped) -> None:
        self._descriptors = descriptors
        self._stock = stock
        self._unmapped = unmapped
        self._structs: dict[str, StockStruct | None] = {}
        self._enums: dict[str, tuple[tuple[str, int], ...]] = {}
        self._faults: list[Fault] = []

    def wire(self) -> StockWire:
        hooks = self._methods("PluginHooks", self._stock.hooks)
        api = self._methods("PluginAPI", self._stock.api)
        for entry in self._unmapped.idle:
            self._fault(entry, "is listed as without counterpart, but has one or does not exist")
        if self._faults:
            raise CodegenError("The stock wire's structs and the proto files differ:", self._faults)
        structs = tuple(each for _, each in sorted(self._structs.items()) if each is not None)
        types, json_types = reached_types(self._stock, structs, self._stock.hooks + self._stock.api)
        return StockWire(
            structs,
            hooks,
            api,
            types,
            json_types,
            tuple(sorted(self._stock.registered.items())),
            tuple(sorted(self._enums.items())),
        )

    def _fault(self, symbol: str, message: str) -> None:
        self._faults.append(Fault(UNMAPPED_FILE, 0, symbol, message))

    # Methods

    def _methods(self, service: str, methods: Sequence[GoMethod]) -> tuple[StockMethod, ...]:
        rpcs = {rpc.descriptor.name: rpc for rpc in self._descriptors.services[f"{CONTRACT_PACKAGE}.{service}"]}
        built = []
        for method in methods:
            rpc = rpcs.get(method.name)
            if self._unmapped.has("go", service, method.name):
                continue
            if rpc is None:
                self._fault(f"{service}.{method.name}", "the proto files have no such rpc")
            elif not rpc.descriptor.client_streaming:
                built.append(self._method(method, rpc))
        return tuple(built)

    def _method(self, method: GoMethod, rpc: Rpc) -> StockMethod:
        return StockMethod(
            method.name,
            self._envelope(method.arguments, rpc.descriptor.input_type),
            self._envelope(method.returns, rpc.descriptor.output_type),
        )

    def _envelope(self, go: str, message_name: str) -> str:
        """The map of a method's arguments or results, whose fields stand in the same order on both sides."""
        message = self._message(message_name)
        if not go:
            self._check_left(message, {"error"})
            return ""
        fields: list[StockField] = []
        waiting = [
            field
            for field in message.descriptor.field
            if field.name not in _ENVELOPE and not self._unmapped.has("proto", message.descriptor.name, field.name)
        ]
        for go_field in self._stock.types[go].fields:
            if go_field.type in ("error", "*model.AppError") and _has(message, "error"):
                fields.append(self._error(go_field))
            elif self._stock.base(go_field.type).name == _CONTEXT and _has(message, "plugin_context"):
                fields += self._field(go_field, _named(message, "plugin_context"), go, message)
            elif self._unmapped.has("go", go, go_field.name):
                continue
            elif self._is_spread(go_field, waiting):
                spread = self._struct(self._stock.base(go_field.type), message, within=go)
                fields.append(StockField(go_field.name, "", "flat", spread))
                waiting = []
            elif waiting:
                fields += self._field(go_field, waiting.pop(0), go, message)
            else:
                self._fault(f"{go}.{go_field.name}", f"{message.descriptor.name} has no field for it")
        self._check_left(message, {*(field.field for field in fields), *_ENVELOPE}, waiting)
        self._structs[go] = StockStruct(go, go, _class_of(message), tuple(fields))
        return go

    def _is_spread(self, go_field: GoField, waiting: Sequence[Field]) -> bool:
        """Whether the fields of a struct stand in the request itself."""
        base = self._stock.base(go_field.type)
        if base.kind != "struct" or base.codec or not waiting:
            return False
        first = waiting[0]
        if first.type == Field.TYPE_BYTES or first.type_name.startswith(_PREFIX):
            return False
        return not self._declared(first)

    def _check_left(self, message: Message, taken: set[str], waiting: Sequence[Field] | None = None) -> None:
        for field in message.descriptor.field if waiting is None else waiting:
            if field.name not in taken and not self._unmapped.has("proto", message.descriptor.name, field.name):
                self._fault(f"{message.descriptor.name}.{field.name}", "the Go struct has no field for it")

    def _error(self, go_field: GoField) -> StockField:
        if go_field.type == "error":
            return StockField(go_field.name, "error", "error")
        app_error = self._message(f"{_PREFIX}AppError")
        return StockField(go_field.name, "error", "message", self._struct(self._stock.base(go_field.type), app_error))

    # Structs

    def _struct(self, go: GoType, message: Message, within: str = "") -> str:
        """The map between a struct and a message, by the names of their fields. Returns what it is called."""
        name = go.name if go.short_name == message.descriptor.name else f"{go.name} as {message.descriptor.name}"
        if name in self._structs:
            return name
        self._structs[name] = None  # it may reach itself
        by_path = self._by_go_name(message)
        taken: set[str] = set()
        fields: list[StockField] = []
        for go_field in go.fields:
            fields += self._struct_field(go, go_field, by_path, taken, message)
        self._check_left(message, {*taken, *_ENVELOPE} if within else taken)
        self._structs[name] = StockStruct(name, go.name, _class_of(message), tuple(fields))
        return name

    def _struct_field(
        self, go: GoType, go_field: GoField, by_path: Mapping[str, Sequence[Field]], taken: set[str], message: Message
    ) -> list[StockField]:
        matches = by_path.get(_key(go_field.name), ())
        if not matches and go_field.json_name:
            matches = by_path.get(_key(go_field.json_name), ())
        if matches:
            taken.update(field.name for field in matches)
            return [each for field in matches for each in self._field(go_field, field, go.name, message)]
        base = self._stock.base(go_field.type)
        inner = {
            path.partition(".")[2]: found
            for path, found in by_path.items()
            if path.startswith(_key(go_field.name) + ".")
        }
        if base.kind == "struct" and (go_field.is_embedded or inner):
            return [self._inner(base, go_field, inner or by_path, taken, message)]
        if not self._unmapped.has("go", go.name, go_field.name):
            self._fault(f"{go.name}.{go_field.name}", f"{message.descriptor.name} has no field for it")
        return []

    def _inner(
        self, base: GoType, go_field: GoField, by_path: Mapping[str, Sequence[Field]], taken: set[str], message: Message
    ) -> StockField:
        """A struct inside a struct whose fields stand in the same message."""
        fields: list[StockField] = []
        for inner in base.fields:
            fields += self._struct_field(base, inner, by_path, taken, message)
        name = f"{base.name} as {message.descriptor.name}"
        self._structs[name] = StockStruct(name, base.name, _class_of(message), tuple(fields))
        return StockField(go_field.name, "", "flat", name)

    def _by_go_name(self, message: Message) -> dict[str, list[Field]]:
        """The fields by the name, or the path, that the struct has for them."""
        found: dict[str, list[Field]] = {}
        for field in message.descriptor.field:
            options = self._descriptors.field_options(field)
            declared = options.go.name if options is not None else ""
            path = ".".join(map(_key, declared.split("."))) if declared else _key(field.name)
            if not declared and self._unmapped.has("proto", message.descriptor.name, field.name):
                continue
            found.setdefault(path, []).append(field)
        return found

    # Fields

    def _declared(self, field: Field) -> str:
        options = self._descriptors.field_options(field)
        return declared_conversion(options.go.conversion) if options is not None else ""

    def _texts(self, field: Field) -> str:
        options = self._descriptors.field_options(field)
        return ",".join(options.go.texts) if options is not None else ""

    def _field(self, go_field: GoField, field: Field, owner: str, message: Message) -> list[StockField]:
        symbol = f"{owner}.{go_field.name}"
        try:
            return [self._converted(go_field, field, message)]
        except NoConversionError:
            kinds = f"{go_field.type} and {message.descriptor.name}.{field.name}"
            self._fault(symbol, f"no rule says how {kinds} become each other")
            return []

    def _converted(self, go_field: GoField, field: Field, message: Message) -> StockField:
        declared = self._declared(field)
        if declared:
            return StockField(go_field.name, field.name, declared, self._texts(field))
        go = self._stock.types[go_field.type]
        entry = _map_entry(message.descriptor, field)
        if entry is not None:
            return self._map(go_field, field, entry)
        if not field.type_name.startswith(_PREFIX):
            if field.type == Field.TYPE_MESSAGE:
                return StockField(go_field.name, field.name, free_conversion(self._stock, go, field))
            return self._scalar(go_field, go, field)
        if field.type == Field.TYPE_ENUM:
            return self._scalar(go_field, go, field)
        return self._message_field(go_field, go, field)

    def _scalar(self, go_field: GoField, go: GoType, field: Field) -> StockField:
        conversion = scalar_conversion(self._stock, go, field)
        if conversion == "enum":
            self._enum(field.type_name)
            return StockField(go_field.name, field.name, conversion, field.type_name.removeprefix(_PREFIX))
        if conversion == "json":
            return StockField(go_field.name, field.name, conversion, self._stock.base(go.name).name)
        return StockField(go_field.name, field.name, conversion)

    def _message_field(self, go_field: GoField, go: GoType, field: Field) -> StockField:
        inner = self._message(field.type_name)
        base = self._stock.base(go.name)
        options = self._descriptors.field_options(field)
        if base.kind == "interface" and options is not None and options.go.type:
            registered = options.go.type
            struct = self._stock.base(self._stock.registered[registered])
            name = self._struct(struct, inner)
            return StockField(go_field.name, field.name, "variant", f"{registered} {name}")
        if field.label == Field.LABEL_REPEATED:
            element = self._stock.base(base.element) if base.kind == "slice" else None
            if element is None or element.kind != "struct":
                raise NoConversionError
            return StockField(go_field.name, field.name, "messages", self._struct(element, inner))
        if base.kind != "struct" or base.codec:
            raise NoConversionError
        if len(inner.descriptor.field) == 1 and inner.descriptor.field[0].name.endswith("_json"):
            return StockField(go_field.name, field.name, "json_message", base.name)
        return StockField(go_field.name, field.name, "message", self._struct(base, inner))

    def _map(self, go_field: GoField, field: Field, entry: DescriptorProto) -> StockField:
        base = self._stock.base(go_field.type)
        value = entry.field[1]
        if base.kind != "map" or self._stock.base(base.key).kind != "string":
            raise NoConversionError
        element = self._stock.base(base.element)
        if value.type_name == f"{_PREFIX}StringList" and element.kind == "slice":
            return StockField(go_field.name, field.name, "list_map")
        if value.type == Field.TYPE_MESSAGE and value.type_name.startswith(_PREFIX) and element.kind == "struct":
            name = self._struct(element, self._message(value.type_name))
            return StockField(go_field.name, field.name, "message_map", name)
        if scalar_conversion(self._stock, element, value) != "scalar":
            raise NoConversionError
        return StockField(go_field.name, field.name, "map")

    def _enum(self, type_name: str) -> None:
        enum = self._descriptors.enums[type_name.removeprefix(".")]
        values = []
        for value in enum.descriptor.value:
            options = self._descriptors.enum_value_options(value)
            if options is not None and options.go_value:
                values.append((options.go_value, value.number))
            elif value.number:
                self._fault(f"{enum.descriptor.name}.{value.name}", "needs a go_value")
        self._enums[type_name.removeprefix(_PREFIX)] = tuple(values)

    def _message(self, type_name: str) -> Message:
        return self._descriptors.messages[type_name.removeprefix(".")]


def _key(name: str) -> str:
    """What Go's and the contract's spelling of a name have in common."""
    return snake_case(name).replace("_", "") if name[:1].isupper() else name.replace("_", "").lower()


def _has(message: Message, name: str) -> bool:
    return any(field.name == name for field in message.descriptor.field)


def _named(message: Message, name: str) -> Field:
    return next(field for field in message.descriptor.field if field.name == name)


def _map_entry(message: DescriptorProto, field: Field) -> DescriptorProto | None:
    name = field.type_name.rpartition(".")[2]
    nested = next((each for each in message.nested_type if each.name == name and each.options.map_entry), None)
    return nested if field.type == Field.TYPE_MESSAGE and field.label == Field.LABEL_REPEATED else None


def _class_of(message: Message) -> str:
    return f"{message_module(message.file)}.{message.descriptor.name}"
