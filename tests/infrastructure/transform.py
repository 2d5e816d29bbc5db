"""A program for SAM CLI's environment: prints what SAM's own translator makes of templates, as JSON.

That is the transform AWS::Serverless-2016-10-31, with every local folder replaced by an address in S3. What
AWS::LanguageExtensions is for, the conditions in DeletionPolicy, is left for whoever creates the stack: SAM CLI's own
form of that transform loses every Fn::Sub.
"""

import copy
import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli.lib.translate import sam_template_validator
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

# It writes what it has made twice, once for a log that nobody reads; as YAML that takes longer than all the rest.
vars(sam_template_validator)["yaml_dump"] = json.dumps


class NoManagedPolicies:
    """Stands where SAM CLI would ask AWS for the managed policies of an account; the template uses none."""

    def load(self) -> dict[str, str]:
        """Return none."""
        return {}


def transform(path: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return it."""
    validator = SamTemplateValidator(
        copy.deepcopy(_read(path)),
        NoManagedPolicies(),
        region="eu-central-1",
        parameter_overrides=dict(parameters),
    )
    found: dict[str, Any] = json.loads(validator.get_translated_template_if_valid())
    return found


@functools.cache
def _read(path: Path) -> Any:
    return yaml_parse(path.read_text())


def main() -> None:
    """Answer one line for each line of the input: a template's path and its parameters, as JSON."""
    for line in sys.stdin:
        path, parameters = json.loads(line)
        sys.stdout.write(json.dumps(transform(Path(path), parameters)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
