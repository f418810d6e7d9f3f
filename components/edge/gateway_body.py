"""The OpenAPI contract as API Gateway takes it: with integrations, authorisers and validators.

Pure: it works on the contract's data and leaves it alone. Names of the extensions: API Gateway
developer guide, "OpenAPI extensions", 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pulumi import Input, Output

from components.common.json_text import json_text

METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
TIMEOUT_MS: Final = 29_000  # the longest without a raised quota; answers that take longer are jobs
TOKEN: Final = "token"  # noqa: S105 - the contract's name for the scheme of access tokens
PROBLEM: Final = "application/problem+json"

# What the origin is told of the caller: taken from what the gateway has checked, over whatever a client
# sends under these names. Of the first two, one is set, as the token's issuer has it; the service compares
# the tenant behind it with the tenant of the key.
CALLER_HEADERS: Final[Mapping[str, str]] = {
    "X-Caller-Client-Id": "'none'",
    "X-Caller-Tenant": "'none'",
    "X-Caller-Api-Key-Id": "context.identity.apiKeyId",
    "X-Request-Id": "context.requestId",
}

# Errors of the gateway's own, as problem details: kind → (status, title, what it knows more).
_MESSAGE: Final = "$context.error.messageString"
GATEWAY_ERRORS: Final[Mapping[str, tuple[int, str, str]]] = {
    "ACCESS_DENIED": (403, "Forbidden", _MESSAGE),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal Server Error", _MESSAGE),
    "AUTHORIZER_FAILURE": (500, "Internal Server Error", _MESSAGE),
    "BAD_REQUEST_BODY": (400, "Bad Request", '"$context.error.validationErrorString"'),
    "BAD_REQUEST_PARAMETERS": (400, "Bad Request", _MESSAGE),
    "EXPIRED_TOKEN": (401, "Unauthorised", _MESSAGE),
    "INTEGRATION_FAILURE": (502, "Bad Gateway", _MESSAGE),
    "INTEGRATION_TIMEOUT": (504, "Gateway Timeout", _MESSAGE),
    "INVALID_API_KEY": (403, "Forbidden", _MESSAGE),
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not Found", '"no such resource"'),
    "QUOTA_EXCEEDED": (429, "Too Many Requests", _MESSAGE),
    "REQUEST_TOO_LARGE": (413, "Content Too Large", _MESSAGE),
    "RESOURCE_NOT_FOUND": (404, "Not Found", _MESSAGE),
    "THROTTLED": (429, "Too Many Requests", _MESSAGE),
    "UNAUTHORIZED": (401, "Unauthorised", _MESSAGE),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type", _MESSAGE),
    "WAF_FILTERED": (403, "Forbidden", _MESSAGE),
    "DEFAULT_4XX": (400, "Bad Request", _MESSAGE),
    "DEFAULT_5XX": (500, "Internal Server Error", _MESSAGE),
}
_OWN_STATUS: Final = frozenset({"DEFAULT_4XX", "DEFAULT_5XX"})  # these keep whatever status the error had


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where requests go: a private balancer behind a VPC link, under the name that its certificate has."""

    host: str
    balancer_arn: Input[str]
    link_id: Input[str]


@dataclass(frozen=True, kw_only=True)
class TokenCheck:
    """Who checks access tokens: the gateway's authoriser, and what it finds out about the caller."""

    authtype: str
    authoriser: Mapping[str, Any]
    scoped: bool  # whether the gateway itself compares scopes
    caller: Mapping[str, str]  # header to the origin → where the gateway has it from


def cognito_check(user_pool_arn: Input[str]) -> TokenCheck:
    """The gateway's own check of tokens of a user pool."""
    return TokenCheck(
        authtype="cognito_user_pools",
        authoriser={"type": "cognito_user_pools", "providerARNs": [user_pool_arn]},
        scoped=True,
        caller={"X-Caller-Client-Id": "context.authorizer.claims.client_id"},
    )


def operations(contract: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation, each."""
    return [(p, m, item[m]) for p, item in contract["paths"].items() for m in METHODS if m in item]


def gateway_body(contract: Mapping[str, Any], *, host: str, origin: Origin, check: TokenCheck) -> Output[str]:
    """JSON for `RestApi.body`; unknown in a preview only as long as the origin is."""
    body = deepcopy(dict(contract))
    responses = body["components"].pop("responses", {})
    callers = {**CALLER_HEADERS, **check.caller}
    for path, method, operation in operations(body):
        operation["responses"] = _followed(operation["responses"], responses)
        operation["x-amazon-apigateway-integration"] = _integration(operation, path, method, origin, callers)
        if not check.scoped:
            operation["security"] = [{**s, TOKEN: []} for s in operation["security"]]
    body["components"]["securitySchemes"][TOKEN] = _authoriser(check)
    body |= {
        "servers": [_server(host)],
        "x-amazon-apigateway-api-key-source": "HEADER",
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {kind: _gateway_error(kind) for kind in GATEWAY_ERRORS},
    }
    return json_text(body, sort_keys=True, compact=True)


def _server(host: str) -> dict[str, Any]:
    """Said here too, because importing a body would otherwise open the default endpoint again."""
    return {
        "url": f"https://{host}",
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True},
    }


def _followed(found: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Responses with the shared ones in their places: imports follow references to schemas only."""
    return {
        status: shared[response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
        for status, response in found.items()
    }


def _integration(
    operation: Mapping[str, Any], path: str, method: str, origin: Origin, callers: Mapping[str, str]
) -> dict[str, Any]:
    in_path = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
    return {
        "type": "http_proxy",
        "httpMethod": method.upper(),
        "uri": f"https://{origin.host}{path}",  # the name that the balancer's certificate must have
        "connectionType": "VPC_LINK",
        "connectionId": origin.link_id,
        "integrationTarget": origin.balancer_arn,
        "timeoutInMillis": TIMEOUT_MS,
        "passthroughBehavior": "when_no_match",
        "requestParameters": {
            **{f"integration.request.path.{p}": f"method.request.path.{p}" for p in in_path},
            **{f"integration.request.header.{h}": source for h, source in callers.items()},
        },
    }


def _authoriser(check: TokenCheck) -> dict[str, Any]:
    """API Gateway knows no `oauth2` scheme: a header, and who checks it."""
    return {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "x-amazon-apigateway-authtype": check.authtype,
        "x-amazon-apigateway-authorizer": dict(check.authoriser),
    }


def _gateway_error(kind: str) -> dict[str, Any]:
    status, title, detail = GATEWAY_ERRORS[kind]
    members = f'"type":"about:blank","title":"{title}","detail":{detail}'
    if kind in _OWN_STATUS:
        members = f'"type":"about:blank","title":{_MESSAGE}'
    else:
        members += f',"status":{status}'
    parameters = {"gatewayresponse.header.Content-Type": f"'{PROBLEM}'"}
    if status == 429:
        parameters["gatewayresponse.header.Retry-After"] = "'1'"
    found: dict[str, Any] = {
        "responseParameters": parameters,
        "responseTemplates": {
            "application/json": f'{{{members},"instance":"urn:request:$context.requestId"}}'
        },
    }
    return found if kind in _OWN_STATUS else {"statusCode": str(status), **found}
