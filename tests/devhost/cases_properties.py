"""What the API must do about properties: groups, fields and values."""

from typing import Any

from google.protobuf.struct_pb2 import Value

from mattermost_plugin.devhost.events import LogWritten
from mattermost_pluginapi.v1.property_pb2 import (
    PropertyField,
    PropertyFieldSearchCursor,
    PropertyFieldSearchOpts,
    PropertyRequestOptions,
    PropertyValue,
    PropertyValueSearchCursor,
    PropertyValueSearchOpts,
)
from tests.devhost.site import NOBODY, Site, covers, made


@covers(
    "RegisterPropertyGroup",
    "GetPropertyGroup",
    "CreatePropertyField",
    "GetPropertyField",
    "GetPropertyFieldByName",
    "GetPropertyFields",
    "CountPropertyFields",
    "CountPropertyFieldsForTarget",
    "UpdatePropertyField",
    "UpdatePropertyFields",
    "DeletePropertyField",
)
async def property_fields(s: Site) -> None:
    group = (await s.api("RegisterPropertyGroup", name="tasks")).group
    assert (await s.api("RegisterPropertyGroup", name="tasks")).group == group
    assert (await s.api("GetPropertyGroup", name="tasks")).group == group
    await s.api.error("GetPropertyGroup", 404, name="x")
    await s.api.error("RegisterPropertyGroup", 400, name="")
    g = {"group_id": group.id}
    fields = {"name": "State", "type": "select", "target_id": "t1", "target_type": "board", **g}
    given = made(PropertyField, fields)
    given.attrs.update({"options": ["a"], "note": 1})
    state = (await s.api("CreatePropertyField", field=given)).field
    await s.api.error("CreatePropertyField", 409, field=given)
    linked = PropertyField(name="Copy", linked_field_id=state.id, group_id=group.id)
    copy = (await s.api("CreatePropertyField", field=linked)).field
    assert (copy.type, list(copy.attrs["options"])) == ("select", ["a"])
    assert (await s.api("GetPropertyField", **g, field_id=state.id)).field == state
    assert (await s.api("GetPropertyField", group_id="", field_id=state.id)).field == state
    await s.api.error("GetPropertyField", 404, group_id=NOBODY, field_id=state.id)
    assert (await s.api("GetPropertyFieldByName", **g, target_id="t1", name="State")).field == state
    await s.api.error("GetPropertyFieldByName", 404, **g, target_id="t2", name="State")
    assert len((await s.api("GetPropertyFields", **g, ids=[state.id, copy.id])).fields) == 2
    await s.api.error("GetPropertyFields", 404, **g, ids=[state.id, NOBODY])
    state.name = "Zustand"
    state.attrs.update({"options": ["b"]})
    assert (await s.api("UpdatePropertyField", **g, field=state)).field.update_at > state.update_at
    # What is linked follows.
    copy = (await s.api("GetPropertyField", **g, field_id=copy.id)).field
    assert list(copy.attrs["options"]) == ["b"]
    both = (await s.api("UpdatePropertyFields", **g, fields=[state, copy])).fields
    assert [field.name for field in both] == ["Zustand", "Copy"]
    copy.name, copy.target_id = "Zustand", "t1"
    await s.api.error("UpdatePropertyFields", 409, **g, fields=[state, copy])
    assert (await s.api("GetPropertyField", **g, field_id=copy.id)).field.name == "Copy"
    copy.name, copy.type = "Copy", "text"
    await s.api.error("UpdatePropertyField", 400, "linked", **g, field=copy)
    copy.linked_field_id = ""
    await s.api.error("DeletePropertyField", 409, **g, field_id=state.id)
    assert (await s.api("UpdatePropertyField", **g, field=copy)).field.type == "text"
    await s.api("DeletePropertyField", **g, field_id=state.id)
    await s.api("DeletePropertyField", **g, field_id=copy.id)
    await s.api.error("DeletePropertyField", 404, **g, field_id=NOBODY)
    assert (await s.api("CountPropertyFields", **g)).count == 0
    assert (await s.api("CountPropertyFields", **g, include_deleted=True)).count == 2
    target = {"target_type": "board", "target_id": "t1"}
    assert (await s.api("CountPropertyFieldsForTarget", **g, **target, include_deleted=True)).count == 1
    # A deleted one is there for whoever knows its id, and comes back like this.
    gone = (await s.api("GetPropertyField", **g, field_id=state.id)).field
    assert gone.delete_at > 0
    gone.delete_at = 0
    await s.api("UpdatePropertyField", **g, field=gone)
    assert (await s.api("CountPropertyFields", **g)).count == 1
    for bad in ({"id": NOBODY}, {"group_id": NOBODY}, {"name": ""}, {"name": "x" * 256}, {"type": "color"}):
        await s.api.error("CreatePropertyField", 400, "is_valid", field=made(PropertyField, fields, bad))
    for missing in (copy.id, NOBODY):
        linked.linked_field_id = missing
        await s.api.error("CreatePropertyField", 404, field=linked)


@covers("SearchPropertyFields", "SearchPropertyValues")
async def searching_properties(s: Site) -> None:
    group = (await s.api("RegisterPropertyGroup", name="tasks")).group
    g = {"group_id": group.id}
    fields = []
    for number in range(5):
        field = {"name": f"F{number}", "type": "text", "target_type": "board", "target_id": f"t{number % 2}", **g}
        fields.append((await s.api("CreatePropertyField", field=made(PropertyField, field))).field)

    async def names(**opts: Any) -> list[str]:
        wanted = made(PropertyFieldSearchOpts, {"per_page": 10}, opts)
        return [field.name for field in (await s.api("SearchPropertyFields", **g, opts=wanted)).fields]

    assert await names() == ["F0", "F1", "F2", "F3", "F4"]
    assert await names(per_page=2) == ["F0", "F1"]
    cursor = PropertyFieldSearchCursor(create_at=fields[1].create_at, property_field_id=fields[1].id)
    assert await names(per_page=2, cursor=cursor) == ["F2", "F3"]
    assert await names(target_id="t1") == ["F1", "F3"]
    assert await names(target_id="t1", target_ids=["t0", "t9"]) == ["F0", "F2", "F4"]
    assert await names(target_type="list") == []
    assert await names(since_update_at=fields[3].update_at) == ["F4"]
    # Servers know no pages, so that this would go on for ever.
    assert await names(per_page=2, page=1) == ["F0", "F1"]
    assert any("cursor" in log.message for log in s.host.events.history(LogWritten))
    await s.api("DeletePropertyField", **g, field_id=fields[0].id)
    assert await names(per_page=1) == ["F1"]
    assert await names(per_page=1, include_deleted=True) == ["F0"]
    values = []
    for number in range(6):
        target = f"{number}" * 26
        fault = {"field_id": fields[1 + number % 2].id, "target_id": target, "target_type": "post", **g}
        value = made(PropertyValue, fault, {"value": Value(number_value=number % 3)})
        values.append((await s.api("CreatePropertyValue", value=value)).value)

    async def found(**opts: Any) -> list[int]:
        answer = await s.api("SearchPropertyValues", **g, opts=made(PropertyValueSearchOpts, {"per_page": 10}, opts))
        return [int(value.target_id[0]) for value in answer.values]

    assert await found(field_id=fields[1].id) == [0, 2, 4]
    assert await found(value=Value(number_value=1)) == [1, 4]
    assert await found(value=Value(number_value=1), per_page=1) == [1]
    after = PropertyValueSearchCursor(create_at=values[1].create_at, property_value_id=values[1].id)
    assert await found(value=Value(number_value=1), cursor=after) == [4]
    assert await found(target_ids=["2" * 26, "5" * 26]) == [2, 5]
    for size in (0, -1):
        await s.api.error("SearchPropertyFields", 400, **g, opts=PropertyFieldSearchOpts(per_page=size))
        await s.api.error("SearchPropertyValues", 400, **g, opts=PropertyValueSearchOpts(per_page=size))
    for broken in (PropertyValueSearchCursor(create_at=1), PropertyValueSearchCursor(property_value_id=NOBODY)):
        opts = PropertyValueSearchOpts(per_page=1, cursor=broken)
        await s.api.error("SearchPropertyValues", 400, "search", **g, opts=opts)


@covers(
    "CreatePropertyValue",
    "GetPropertyValue",
    "GetPropertyValues",
    "UpdatePropertyValue",
    "UpdatePropertyValues",
    "UpsertPropertyValue",
    "UpsertPropertyValues",
    "UpsertPropertyValueWithOptions",
    "UpsertPropertyValuesWithOptions",
    "DeletePropertyValue",
    "DeletePropertyValuesForField",
    "DeletePropertyValuesForTarget",
    "DeletePropertyValueWithOptions",
    "DeletePropertyValuesForFieldWithOptions",
    "DeletePropertyValuesForTargetWithOptions",
)
async def property_values(s: Site) -> None:
    group = (await s.api("RegisterPropertyGroup", name="tasks")).group
    g = {"group_id": group.id}
    field = (await s.api("CreatePropertyField", field=PropertyField(name="N", type="text", group_id=group.id))).field
    options = PropertyRequestOptions(acting_as_scope="x")

    def value(target: str, text: str) -> PropertyValue:
        of_target = PropertyValue(field_id=field.id, target_id=target * 26, target_type="post", group_id=group.id)
        of_target.value.string_value = text
        return of_target

    one = (await s.api("CreatePropertyValue", value=value("a", "1"))).value
    await s.api.error("CreatePropertyValue", 409, value=value("a", "1"))
    for bad in ({"id": NOBODY}, {"target_id": "short"}, {"target_type": ""}):
        broken = made(PropertyValue, {**g, "field_id": field.id, "target_id": "b" * 26, "target_type": "post"}, bad)
        await s.api.error("CreatePropertyValue", 400, "is_valid", value=broken)
    system = made(PropertyValue, {**g, "field_id": field.id, "target_id": "system", "target_type": "system"})
    await s.api("CreatePropertyValue", value=system)
    await s.api("DeletePropertyValuesForTarget", **g, target_type="system", target_id="system")
    assert (await s.api("GetPropertyValue", **g, value_id=one.id)).value == one
    again = (await s.api("UpsertPropertyValue", value=value("a", "2"))).value
    assert (again.id, again.value.string_value) == (one.id, "2")
    two = (await s.api("UpsertPropertyValues", values=[value("a", "3"), value("b", "3")])).values
    assert len({each.id for each in two}) == 2
    assert (await s.api("UpsertPropertyValueWithOptions", value=value("c", "4"), options=options)).value.id
    assert (await s.api("UpsertPropertyValuesWithOptions", values=[value("c", "5")], options=options)).values
    twice = (await s.api("UpsertPropertyValues", values=[value("c", "1"), value("c", "5")])).values
    assert [each.value.string_value for each in twice] == ["5", "5"]
    assert len((await s.api("GetPropertyValues", **g, ids=[each.id for each in two])).values) == 2
    opts = PropertyValueSearchOpts(per_page=10, value=Value(string_value="3"))
    assert len((await s.api("SearchPropertyValues", **g, opts=opts)).values) == 2
    one.value.string_value = "6"
    assert (await s.api("UpdatePropertyValue", **g, value=one)).value.value.string_value == "6"
    two[1].value.string_value = "7"
    await s.api("UpdatePropertyValues", **g, values=two)
    await s.api.error("UpdatePropertyValues", 404, **g, values=[two[0], PropertyValue(id=NOBODY)])
    await s.api("DeletePropertyValue", **g, value_id=one.id)
    await s.api.error("DeletePropertyValue", 404, **g, value_id=NOBODY)
    assert (await s.api("GetPropertyValue", **g, value_id=one.id)).value.delete_at > 0
    await s.api("DeletePropertyValueWithOptions", **g, value_id=two[1].id, options=options)
    await s.api("DeletePropertyValuesForTarget", **g, target_type="post", target_id="c" * 26)
    assert not (await s.api("SearchPropertyValues", **g, opts=PropertyValueSearchOpts(per_page=10))).values
    await s.api(
        "DeletePropertyValuesForTargetWithOptions", **g, target_type="post", target_id="c" * 26, options=options
    )
    await s.api("UpsertPropertyValue", value=value("d", "8"))
    await s.api("DeletePropertyValuesForField", **g, field_id=field.id)
    await s.api("DeletePropertyValuesForFieldWithOptions", **g, field_id=field.id, options=options)
    await s.api.error("DeletePropertyValuesForTarget", 400, **g, target_type="", target_id="c" * 26)
    # What goes with its target is gone for good.
    everything = PropertyValueSearchOpts(per_page=10, include_deleted=True)
    left = (await s.api("SearchPropertyValues", **g, opts=everything)).values
    assert [each.target_id[0] for each in left] == ["a", "b", "d"]
