"""Issue against list: a key is in its list from the first request after its 201 on, whoever asks."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deployment import Deployment
from tests.race.listers import listing
from tests.race.test_promise import report

ISSUERS, APPLICATIONS, PAGE = 4, 20, 50


def test_a_key_is_in_the_first_list_after_its_201_a_thousand_times_of_a_thousand(
    deployment: Deployment, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee: nothing lags. Other processes list, each time at once, while several threads issue.

    With an entry that is written a moment after the 201, as an index's is, this fails.
    """
    token = deployment.token()
    with (
        listing(endpoint, deployment.issuer.url, token) as listers,
        ThreadPoolExecutor(ISSUERS) as threads,
    ):

        def issue(_: int) -> None:
            application_id = deployment.application()
            for _ in range(PAGE):
                listers.look_for(application_id, deployment.issue(application_id)["id"])

        list(threads.map(issue, range(APPLICATIONS)))
    missing = [look.key_id for look in listers.looks if not look.found]
    report(
        capsys,
        f"{len(listers.looks)} keys looked for by {listers.count} other processes, missing: {len(missing)}",
    )
    assert len({look.key_id for look in listers.looks}) == APPLICATIONS * PAGE
    assert missing == []
