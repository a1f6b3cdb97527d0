"""Where operators have a key of their own, the key of the clients opens none of their endpoints."""

import itertools

import pytest

from tests.serve.helpers import TEXT, served
from tests.serve.test_refusals import refused

CLIENT, OPERATOR = "tenant", "opérator"
KEYS = [None, "wrong", "Basic x", CLIENT, OPERATOR]
OPERATORS = {"/metrics": "GET", "/reset_prefix_cache": "POST", "/debug/cache": "GET"}
CLIENTS = {
    "/v1/completions": "POST",
    "/v1/chat/completions": "POST",
    "/v1/models": "GET",
    "/v1/models/tiny": "GET",
    "/tokenize": "POST",
    "/detokenize": "POST",
    "/openapi.json": "GET",
    "/docs": "GET",
    "/docs/oauth2-redirect": "GET",
    "/redoc": "GET",
}
OPEN = {"/health": "GET", "/ready": "GET"}
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


def send(client, path, method, key):
    client.key = None
    scheme = "" if key and " " in key else "Bearer "
    headers = {"Authorization": f"{scheme}{key}".encode()} if key else {}
    return client.send(path, {} if method == "POST" else None, method, headers)


@pytest.fixture(scope="module")
def client():
    with served(api_key=CLIENT, operator_key=OPERATOR, debug=True) as client:
        yield client


@pytest.fixture(scope="module")
def open_client():
    """A server that anybody may ask, but nobody may watch."""
    with served(operator_key=OPERATOR, debug=True) as client:
        yield client


def test_a_single_server_describes_its_one_cache(client):
    status, _, told = send(client, "/debug/cache", "GET", OPERATOR)
    assert status == 200 and told.keys() == {"summary", "snapshot"}


def test_every_path_is_either_for_operators_or_for_clients(client):
    paths = send(client, "/openapi.json", "GET", CLIENT)[2]["paths"]
    known = {**OPERATORS, **CLIENTS, **OPEN}
    assert {path.replace("{name}", "tiny") for path in paths} <= known.keys()
    for path in OPERATORS:
        (method,) = paths[path]
        assert {"401", "403"} <= paths[path][method]["responses"].keys(), path


def variants(path):
    """Ways to write a path that a server may take for the same one."""
    letter = f"%{ord(path[1]):X}"
    yield from (path, f"{path}?x=1", f"/{letter}{path[2:]}", path.replace("/", "/./", 1))
    yield from (f"{path}/", f"/{path}", path.upper(), f"{path};x", f"{path}%2F", f"{path}%00")


@pytest.mark.parametrize("path", OPERATORS)
def test_only_the_operator_gets_in(client, open_client, path):
    """Whatever is not refused is an unknown path: no spelling of it answers a tenant."""
    own = OPERATORS[path]
    asked = [(path, method) for method in METHODS] + [(each, own) for each in variants(path)]
    for (written, method), key in itertools.product(asked, KEYS[:-1]):
        for each in (client, open_client):
            status = send(each, written, method, key)[0]
            assert status in (401, 403, 404), (written, method, key, status)


@pytest.mark.parametrize("path", OPERATORS)
def test_a_tenant_is_refused_by_name_and_the_operator_is_served(client, path):
    method = OPERATORS[path]
    for key in KEYS[:3]:
        answer = send(client, path, method, key)
        refused(answer, 401, None, "invalid_api_key")
        assert answer[1]["WWW-Authenticate"] == "Bearer"
    answer = send(client, path, method, CLIENT)
    says = refused(answer, 403, None, "operator_key_required")
    assert says == f"{path} needs the operator's key."
    assert answer[2]["error"]["type"] == "permission_error"
    assert send(client, path, method, OPERATOR)[0] == 200


@pytest.mark.parametrize("path", OPERATORS)
def test_without_a_key_for_clients_the_operator_still_has_one(open_client, path):
    for key in KEYS[:-1]:
        refused(send(open_client, path, OPERATORS[path], key), 401, None, "invalid_api_key")
    assert send(open_client, path, OPERATORS[path], OPERATOR)[0] == 200


def test_what_is_for_clients_takes_either_key(client, open_client):
    for path, method in CLIENTS.items():
        for key in KEYS:
            status = send(client, path, method, key)[0]
            assert (status == 401) == (key not in (CLIENT, OPERATOR)), (path, key, status)
            assert send(open_client, path, method, key)[0] in (200, 400), (path, key)
    for path, key in itertools.product(OPEN, KEYS):
        assert send(client, path, "GET", key)[0] == 200


def test_a_tenant_does_not_learn_whether_debug_is_offered():
    with served(api_key=CLIENT, operator_key=OPERATOR) as client:
        refused(send(client, "/debug/cache", "GET", CLIENT), 403, None, "operator_key_required")
        assert send(client, "/debug/cache", "GET", OPERATOR)[0] == 404


def test_the_clients_of_the_api_get_their_classes_of_error(client):
    openai = pytest.importorskip("openai", reason="openai is not installed")
    client.key = CLIENT
    api = client.openai()
    assert api.completions.create(model="tiny", prompt=TEXT, max_tokens=2).usage.total_tokens
    with pytest.raises(openai.PermissionDeniedError) as caught:
        api.with_options(base_url=client.url).get("/metrics", cast_to=str)
    assert caught.value.code == "operator_key_required"
