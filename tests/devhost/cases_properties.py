"""What the API must do about properties: groups, fields and values."""

from google.protobuf.struct_pb2 import Value

from mattermost_pluginapi.v1.property_pb2 import (
    PropertyField,
    PropertyFieldSearchOpts,
    PropertyRequestOptions,
    PropertyValue,
    PropertyValueSearchOpts,
)
from tests.devhost.site import NOBODY, Site, covers


@covers(
    "RegisterPropertyGroup",
    "GetPropertyGroup",
    "CreatePropertyField",
    "GetPropertyField",
    "GetPropertyFieldByName",
    "GetPropertyFields",
    "SearchPropertyFields",
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
    g = {"group_id": group.id}
    given = PropertyField(name="State", type="select", target_id="t1", target_type="board", group_id=group.id)
    state = (await s.api("CreatePropertyField", field=given)).field
    await s.api.error("CreatePropertyField", 409, field=given)
    linked = PropertyField(name="Copy", linked_field_id=state.id, group_id=group.id)
    copy = (await s.api("CreatePropertyField", field=linked)).field
    assert copy.type == "select"
    assert (await s.api("GetPropertyField", **g, field_id=state.id)).field == state
    assert (await s.api("GetPropertyFieldByName", **g, target_id="t1", name="State")).field == state
    await s.api.error("GetPropertyFieldByName", 404, **g, target_id="t2", name="State")
    assert len((await s.api("GetPropertyFields", **g, ids=[state.id, copy.id])).fields) == 2
    await s.api.error("GetPropertyFields", 404, **g, ids=[state.id, NOBODY])
    opts = PropertyFieldSearchOpts(per_page=10, target_type="board")
    assert list((await s.api("SearchPropertyFields", **g, opts=opts)).fields) == [state]
    await s.api.error("SearchPropertyFields", 400, **g, opts=PropertyFieldSearchOpts())
    state.name = "Zustand"
    assert (await s.api("UpdatePropertyField", **g, field=state)).field.update_at > state.update_at
    both = (await s.api("UpdatePropertyFields", **g, fields=[state, copy])).fields
    assert [field.name for field in both] == ["Zustand", "Copy"]
    copy.name, copy.target_id = "Zustand", "t1"
    await s.api.error("UpdatePropertyFields", 409, **g, fields=[state, copy])
    assert (await s.api("GetPropertyField", **g, field_id=copy.id)).field.name == "Copy"
    await s.api.error("DeletePropertyField", 409, **g, field_id=state.id)
    await s.api("DeletePropertyField", **g, field_id=copy.id)
    await s.api("DeletePropertyField", **g, field_id=state.id)
    await s.api.error("DeletePropertyField", 404, **g, field_id=state.id)
    assert (await s.api("CountPropertyFields", **g)).count == 0
    assert (await s.api("CountPropertyFields", **g, include_deleted=True)).count == 2
    target = {"target_type": "board", "target_id": "t1"}
    assert (await s.api("CountPropertyFieldsForTarget", **g, **target, include_deleted=True)).count == 1
    await s.api.error("CreatePropertyField", 400, field=PropertyField(name="x", type="color", group_id=group.id))


@covers(
    "CreatePropertyValue",
    "GetPropertyValue",
    "GetPropertyValues",
    "SearchPropertyValues",
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
        of_target = PropertyValue(field_id=field.id, target_id=target, target_type="post", group_id=group.id)
        of_target.value.string_value = text
        return of_target

    one = (await s.api("CreatePropertyValue", value=value("a", "1"))).value
    await s.api.error("CreatePropertyValue", 409, value=value("a", "1"))
    await s.api.error("CreatePropertyValue", 400, value=value("", "1"))
    assert (await s.api("GetPropertyValue", **g, value_id=one.id)).value == one
    again = (await s.api("UpsertPropertyValue", value=value("a", "2"))).value
    assert (again.id, again.value.string_value) == (one.id, "2")
    two = (await s.api("UpsertPropertyValues", values=[value("a", "3"), value("b", "3")])).values
    assert len({each.id for each in two}) == 2
    assert (await s.api("UpsertPropertyValueWithOptions", value=value("c", "4"), options=options)).value.id
    assert (await s.api("UpsertPropertyValuesWithOptions", values=[value("c", "5")], options=options)).values
    assert len((await s.api("GetPropertyValues", **g, ids=[each.id for each in two])).values) == 2
    opts = PropertyValueSearchOpts(per_page=10, value=Value(string_value="3"))
    assert len((await s.api("SearchPropertyValues", **g, opts=opts)).values) == 2
    one.value.string_value = "6"
    assert (await s.api("UpdatePropertyValue", **g, value=one)).value.value.string_value == "6"
    two[1].value.string_value = "7"
    await s.api("UpdatePropertyValues", **g, values=two)
    await s.api.error("UpdatePropertyValues", 404, **g, values=[two[0], PropertyValue(id=NOBODY)])
    await s.api("DeletePropertyValue", **g, value_id=one.id)
    await s.api.error("DeletePropertyValue", 404, **g, value_id=one.id)
    await s.api("DeletePropertyValueWithOptions", **g, value_id=two[1].id, options=options)
    await s.api("DeletePropertyValuesForTarget", **g, target_type="post", target_id="c")
    assert not (await s.api("SearchPropertyValues", **g, opts=PropertyValueSearchOpts(per_page=10))).values
    await s.api("DeletePropertyValuesForTargetWithOptions", **g, target_type="post", target_id="c", options=options)
    await s.api("UpsertPropertyValue", value=value("d", "8"))
    await s.api("DeletePropertyValuesForField", **g, field_id=field.id)
    await s.api("DeletePropertyValuesForFieldWithOptions", **g, field_id=field.id, options=options)
    everything = PropertyValueSearchOpts(per_page=10, include_deleted=True)
    assert len((await s.api("SearchPropertyValues", **g, opts=everything)).values) == 4
