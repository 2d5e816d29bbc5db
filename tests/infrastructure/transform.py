"""A program for SAM CLI's environment: print what SAM's own translator makes of a template, as JSON.

That is the transform AWS::Serverless-2016-10-31, with every local folder replaced by an address in S3. What
AWS::LanguageExtensions is for, the conditions in DeletionPolicy, is left for whoever creates the stack: SAM CLI's own
form of that transform loses every Fn::Sub.
"""

import argparse
import json
import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse


class NoManagedPolicies:
    """Stands where SAM CLI would ask AWS for the managed policies of an account; the template uses none."""

    def load(self) -> dict[str, str]:
        """Return none."""
        return {}


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=Path)
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    args = parser.parse_args()
    validator = SamTemplateValidator(
        yaml_parse(args.template.read_text()),
        NoManagedPolicies(),
        region="eu-central-1",
        parameter_overrides=dict(parameter.split("=", 1) for parameter in args.parameters),
    )
    json.dump(yaml_parse(validator.get_translated_template_if_valid()), sys.stdout)


if __name__ == "__main__":
    main()
