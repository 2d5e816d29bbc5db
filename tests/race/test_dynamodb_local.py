"""DynamoDB Local is the real engine: of many writers under one condition, one wins."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from local.run import AWS_ENVIRONMENT
from local.template import Template, environment
from tools.dynamodb_local import dynamodb_local

WRITERS, ROUNDS = 8, 25


def test_exactly_one_of_many_conditional_writers_wins() -> None:
    with dynamodb_local() as url, environment(AWS_ENVIRONMENT):
        assert urlsplit(url).hostname == "127.0.0.1"
        client = boto3.client("dynamodb", endpoint_url=url, config=Config(max_pool_connections=WRITERS))
        Template({}).create_tables(client)

        def wins(key_id: str) -> bool:
            try:
                client.put_item(
                    TableName="ApiKeysTable",
                    Item={"keyId": {"S": key_id}},
                    ConditionExpression="attribute_not_exists(keyId)",
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
            return True

        with ThreadPoolExecutor(WRITERS) as writers:
            for number in range(ROUNDS):
                assert sum(writers.map(wins, [f"key-{number}"] * WRITERS)) == 1
