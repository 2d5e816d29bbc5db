"""djangorestframework-api-key: keys of Django's REST framework, on SQLite.

https://florimondmanca.github.io/djangorestframework-api-key/guide/
"""

import os
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.test import RequestFactory

from benchmarks.subject import Key, main

DATABASE = Path(tempfile.mkdtemp()) / "db.sqlite3"  # a file, as Django's own default is

settings.configure(
    INSTALLED_APPS=["rest_framework", "rest_framework_api_key"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    USE_TZ=True,
)
django.setup()
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def fresh() -> Key:
    """Make a key; it is checked as a view's permission is, and revoked as the documentation says."""
    # Models can be imported once Django is set up.
    from rest_framework_api_key.models import APIKey  # noqa: PLC0415 -- see above
    from rest_framework_api_key.permissions import HasAPIKey  # noqa: PLC0415 -- see above

    made, key = APIKey.objects.create_key(name="benchmark")
    request = RequestFactory().get("/", headers={"authorization": f"Api-Key {key}"})

    def check() -> bool:
        return bool(HasAPIKey().has_permission(request, None))

    def revoke() -> bool:
        found = APIKey.objects.get(pk=made.pk)
        found.revoked = True
        found.save()
        return True

    return Key(check, revoke)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    main(fresh)
