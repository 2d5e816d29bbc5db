"""`make run`: the stack on one machine, with no Docker and no AWS account."""
