"""The structured log, with secrets taken out as the last line of defence."""

import logging
import re

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

JWT = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON line, in which whatever looks like a token is replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return JWT.sub("[redacted]", super().format(record))


logger = Logger(service="api-keys", logger_formatter=RedactingFormatter())
