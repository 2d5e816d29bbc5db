"""A program for SAM CLI's environment: reads sections of samconfig.toml as SAM CLI does, and says how many."""

import importlib
import json
import sys

from samcli.lib.config.samconfig import SamConfig

from local.template import ROOT

COMMANDS = {
    "validate": "samcli.commands.validate.validate",
    "build": "samcli.commands.build.command",
    "deploy": "samcli.commands.deploy.command",
    "local_invoke": "samcli.commands.local.invoke.cli",
    "local_start_api": "samcli.commands.local.start_api.cli",
    "local_start_lambda": "samcli.commands.local.start_lambda.cli",
}


def main() -> None:
    """Read each; fail where an option is none of its command's, or has a value that the command does not take."""
    config, asked = SamConfig(str(ROOT)), json.loads(sys.argv[1])
    for environment, command in asked:
        cli = importlib.import_module(COMMANDS[command]).cli
        options = {option.name: option for option in cli.params}
        found = config.get_all(command.split("_", 1), "parameters", environment)
        with cli.make_context(command, [], resilient_parsing=True) as context:
            for name, value in found.items():
                if name not in options:
                    sys.exit(f"{environment}.{command}: there is no option {name}")
                options[name].type_cast_value(context, value)
    sys.stdout.write(f"{len(asked)} sections\n")


if __name__ == "__main__":
    main()
