"""Methods about configuration, the server and its log."""

import json
from typing import Final

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.devhost.app.config import (
    load_config,
    plugin_settings,
    plugin_settings_with_defaults,
    sanitized,
    save_config,
    save_plugin_settings,
)
from mattermost_plugin.devhost.app.json_texts import integral
from mattermost_plugin.devhost.app.license import current_license, start_trial
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.world import INSTALL_DATE
from mattermost_pluginapi.v1 import api_config_pb2 as pb
from mattermost_pluginapi.v1 import api_log_pb2 as logs
from mattermost_pluginapi.v1 import api_server_pb2 as server
from mattermost_pluginapi.v1.log_pb2 import KeyValuePair

METHODS: Final = Methods()

SERVER_VERSION: Final = "11.6.0"
"""The server that this host plays."""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@METHODS.rpc
def _load_plugin_configuration(
    call: Call, request: pb.LoadPluginConfigurationRequest
) -> pb.LoadPluginConfigurationResponse:
    settings = plugin_settings_with_defaults(call.world, call.plugin.manifest)
    return pb.LoadPluginConfigurationResponse(config_json=_json(settings))


@METHODS.rpc
def _get_plugin_config(call: Call, request: pb.GetPluginConfigRequest) -> pb.GetPluginConfigResponse:
    return pb.GetPluginConfigResponse(config=ParseDict(plugin_settings(call.world, call.plugin_id), Struct()))


@METHODS.rpc
async def _save_plugin_config(call: Call, request: pb.SavePluginConfigRequest) -> pb.SavePluginConfigResponse:
    await save_plugin_settings(call.world, call.plugin_id, request.config)
    return pb.SavePluginConfigResponse()


@METHODS.rpc
def _get_config(call: Call, request: pb.GetConfigRequest) -> pb.GetConfigResponse:
    return pb.GetConfigResponse(config_json=_json(sanitized(call.world, load_config(call.world))))


@METHODS.rpc
def _get_unsanitized_config(call: Call, request: pb.GetUnsanitizedConfigRequest) -> pb.GetUnsanitizedConfigResponse:
    return pb.GetUnsanitizedConfigResponse(config_json=_json(load_config(call.world)))


@METHODS.rpc
async def _save_config(call: Call, request: pb.SaveConfigRequest) -> pb.SaveConfigResponse:
    await save_config(call.world, request.config_json)
    return pb.SaveConfigResponse()


@METHODS.rpc
def _get_server_version(call: Call, request: server.GetServerVersionRequest) -> server.GetServerVersionResponse:
    return server.GetServerVersionResponse(version=SERVER_VERSION)


@METHODS.rpc
def _get_license(call: Call, request: server.GetLicenseRequest) -> server.GetLicenseResponse:
    return server.GetLicenseResponse(license_json=current_license(call.world))


@METHODS.rpc
def _request_trial_license(
    call: Call, request: server.RequestTrialLicenseRequest
) -> server.RequestTrialLicenseResponse:
    start_trial(call.world, request.requester_id, request.users, terms_accepted=request.terms_accepted)
    return server.RequestTrialLicenseResponse()


@METHODS.rpc
def _is_enterprise_ready(call: Call, request: server.IsEnterpriseReadyRequest) -> server.IsEnterpriseReadyResponse:
    return server.IsEnterpriseReadyResponse(is_enterprise_ready=False)


@METHODS.rpc
def _get_system_install_date(
    call: Call, request: server.GetSystemInstallDateRequest
) -> server.GetSystemInstallDateResponse:
    stored = call.world.store.settings.get(INSTALL_DATE) or b"0"
    return server.GetSystemInstallDateResponse(install_date=int(stored))


@METHODS.rpc
def _get_diagnostic_id(call: Call, request: server.GetDiagnosticIdRequest) -> server.GetDiagnosticIdResponse:
    return server.GetDiagnosticIdResponse(diagnostic_id=_server_id(call))


@METHODS.rpc
def _get_telemetry_id(call: Call, request: server.GetTelemetryIdRequest) -> server.GetTelemetryIdResponse:
    return server.GetTelemetryIdResponse(telemetry_id=_server_id(call))


def _server_id(call: Call) -> str:
    return call.world.store.settings.first("server_id", new_id().encode()).decode()


@METHODS.rpc
def _get_cloud_limits(call: Call, request: server.GetCloudLimitsRequest) -> server.GetCloudLimitsResponse:
    return server.GetCloudLimitsResponse(limits_json=b"{}")


def _log(call: Call, level: str, message: str, pairs: list[KeyValuePair]) -> None:
    values = {pair.key: integral(MessageToDict(pair.value)) for pair in pairs}
    call.world.log(level, message, call.plugin_id, values)


@METHODS.rpc
def _log_debug(call: Call, request: logs.LogDebugRequest) -> logs.LogDebugResponse:
    _log(call, "debug", request.msg, list(request.key_value_pairs))
    return logs.LogDebugResponse()


@METHODS.rpc
def _log_info(call: Call, request: logs.LogInfoRequest) -> logs.LogInfoResponse:
    _log(call, "info", request.msg, list(request.key_value_pairs))
    return logs.LogInfoResponse()


@METHODS.rpc
def _log_warn(call: Call, request: logs.LogWarnRequest) -> logs.LogWarnResponse:
    _log(call, "warn", request.msg, list(request.key_value_pairs))
    return logs.LogWarnResponse()


@METHODS.rpc
def _log_error(call: Call, request: logs.LogErrorRequest) -> logs.LogErrorResponse:
    _log(call, "error", request.msg, list(request.key_value_pairs))
    return logs.LogErrorResponse()


@METHODS.rpc
def _log_audit_rec(call: Call, request: logs.LogAuditRecRequest) -> logs.LogAuditRecResponse:
    call.world.store.audits.add(call.plugin_id, request.record.level, request.record)
    return logs.LogAuditRecResponse()


@METHODS.rpc
def _log_audit_rec_with_level(
    call: Call, request: logs.LogAuditRecWithLevelRequest
) -> logs.LogAuditRecWithLevelResponse:
    call.world.store.audits.add(call.plugin_id, request.level, request.record)
    return logs.LogAuditRecWithLevelResponse()
