"""All that is asked of DynamoDB: a module a table, with every expression of that table."""
