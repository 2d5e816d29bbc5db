"""What no route matches is answered in the documented shape."""

import pytest

from tests.deployment import NOT_FOUND, Deployment, sample_event

KEY_PATH = (
    "/api/v1/applications/123e4567-e89b-12d3-a456-426614174000/api-keys/123e4567-e89b-12d3-a456-426614174000"
)


@pytest.mark.parametrize(
    "path", ["", "/api/v1", "/api/v2" + KEY_PATH[7:], KEY_PATH + "/", KEY_PATH + "/x", "//", "\n"]
)
def test_404_for_a_path_that_does_not_exist(deployment: Deployment, path: str) -> None:
    event = sample_event("refuse_unknown_route/404") | {"rawPath": path}
    answer = deployment.invoke("RefuseUnknownRouteFunction", event)
    assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert "allow" not in answer.headers


@pytest.mark.parametrize("path", [KEY_PATH, "/api/v1/applications/1/api-keys/2"])
def test_405_names_the_methods_of_a_path_that_exists(deployment: Deployment, path: str) -> None:
    event = sample_event("refuse_unknown_route/405") | {"rawPath": path}
    answer = deployment.invoke("RefuseUnknownRouteFunction", event)
    assert answer.status == 405
    assert answer.headers["allow"] == "DELETE, GET"
    assert answer.body == {
        "error": "Method Not Allowed",
        "message": "The requested resource does not support this method",
        "code": 405,
    }


def test_it_talks_to_nobody(deployment: Deployment) -> None:
    deployment.calls.clear()
    deployment.invoke("RefuseUnknownRouteFunction", sample_event("refuse_unknown_route/404"))
    assert deployment.calls == []
