"""The structured log, with secrets taken out as the last line of defence."""

import logging
import re

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

# A JWT, or a key string of whatever prefix.
SECRET = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|[a-z][a-z0-9]*_[0-9A-Za-z]{71}")


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON line, in which whatever looks like a token or a key is replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return SECRET.sub("[redacted]", super().format(record))


logger = Logger(service="api-keys", logger_formatter=RedactingFormatter())
