"""Methods about a plugin's keys and values."""

from typing import Final

from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_kv_pb2 as pb

METHODS: Final = Methods()

LONGEST_KEY: Final = 150
KEYS_BY_DEFAULT: Final = 10
"""How many keys KVList gives to those who ask for none or fewer."""


def _check_key(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY:
        raise bad_request("model.plugin_key_value.is_valid.key.app_error", f"key={key[:LONGEST_KEY]}")


@METHODS.rpc
def _kv_set(call: Call, request: pb.KVSetRequest) -> pb.KVSetResponse:
    _check_key(request.key)
    call.world.store.kv.set(call.plugin_id, request.key, request.value)
    return pb.KVSetResponse()


@METHODS.rpc
def _kv_set_with_expiry(call: Call, request: pb.KVSetWithExpiryRequest) -> pb.KVSetWithExpiryResponse:
    _check_key(request.key)
    call.world.store.kv.set(call.plugin_id, request.key, request.value, request.expire_in_seconds)
    return pb.KVSetWithExpiryResponse()


@METHODS.rpc
def _kv_set_with_options(call: Call, request: pb.KVSetWithOptionsRequest) -> pb.KVSetWithOptionsResponse:
    _check_key(request.key)
    options, kv = request.options, call.world.store.kv
    if options.old_value and not options.atomic:
        raise bad_request("model.plugin_kvset_options.is_valid.old_value.app_error")
    if options.atomic:
        stored = kv.compare_and_set(
            call.plugin_id, request.key, options.old_value, request.value, options.expire_in_seconds
        )
        return pb.KVSetWithOptionsResponse(success=stored)
    kv.set(call.plugin_id, request.key, request.value, options.expire_in_seconds)
    return pb.KVSetWithOptionsResponse(success=True)


@METHODS.rpc
def _kv_compare_and_set(call: Call, request: pb.KVCompareAndSetRequest) -> pb.KVCompareAndSetResponse:
    _check_key(request.key)
    stored = call.world.store.kv.compare_and_set(call.plugin_id, request.key, request.old_value, request.new_value)
    return pb.KVCompareAndSetResponse(success=stored)


@METHODS.rpc
def _kv_compare_and_delete(call: Call, request: pb.KVCompareAndDeleteRequest) -> pb.KVCompareAndDeleteResponse:
    _check_key(request.key)
    if not request.old_value:
        return pb.KVCompareAndDeleteResponse(success=False)
    deleted = call.world.store.kv.compare_and_set(call.plugin_id, request.key, request.old_value, b"")
    return pb.KVCompareAndDeleteResponse(success=deleted)


@METHODS.rpc
def _kv_get(call: Call, request: pb.KVGetRequest) -> pb.KVGetResponse:
    return pb.KVGetResponse(value=call.world.store.kv.get(call.plugin_id, request.key) or b"")


@METHODS.rpc
def _kv_list(call: Call, request: pb.KVListRequest) -> pb.KVListResponse:
    per_page = request.per_page if request.per_page > 0 else KEYS_BY_DEFAULT
    page = Page(request.page, per_page)
    return pb.KVListResponse(keys=call.world.store.kv.keys(call.plugin_id, page))


@METHODS.rpc
def _kv_delete(call: Call, request: pb.KVDeleteRequest) -> pb.KVDeleteResponse:
    call.world.store.kv.delete(call.plugin_id, request.key)
    return pb.KVDeleteResponse()


@METHODS.rpc
def _kv_delete_all(call: Call, request: pb.KVDeleteAllRequest) -> pb.KVDeleteAllResponse:
    call.world.store.kv.delete_all(call.plugin_id)
    return pb.KVDeleteAllResponse()
