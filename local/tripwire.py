"""The tripwire of `make run`: on AWS it is a metric and an alarm."""

import io
import json
import time


class FunctionsLog(io.TextIOWrapper):
    """The functions' log, which says on the terminal, too, when a revoked key was used."""

    def write(self, line: str) -> int:
        """Write a line of the log."""
        if '"RevokedKeyUsed"' in line:
            said = json.loads(line)
            key = f"key {said['key_id']} of application {said['application_id']}, from {said['source']}"
            print(f"{time.strftime('%H:%M:%S')}  ALARM  a revoked key was used: {key}", flush=True)
        return super().write(line)
