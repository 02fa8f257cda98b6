"""POST /services with Powertools for AWS Lambda: its idempotency utility keeps the answer, the command writes service and event.

The utility writes its record before the command and again after it, so a crash in between leaves an effect without an answer.
"""

import hashlib
import json
import os
import re
import secrets
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)

BILLING_TABLE = os.environ["BILLING_TABLE"]
COMPANY_TABLE = os.environ["COMPANY_TABLE"]
ACTIVITY_TABLE = os.environ["ACTIVITY_TABLE"]
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ABSENT = "attribute_not_exists(pk)"

db = boto3.client("dynamodb")
consumed = {"requests": 0, "writes": 0.0}


def ask_for_units(params, **_):
    params["ReturnConsumedCapacity"] = "TOTAL"


def count(parsed, model, **_):
    consumed["requests"] += 1
    if model.name in ("PutItem", "UpdateItem", "TransactWriteItems"):
        units = parsed.get("ConsumedCapacity", [])
        units = units if isinstance(units, list) else [units]
        consumed["writes"] += sum(table["CapacityUnits"] for table in units)


# Every call, those of the utility included.
db.meta.events.register("provide-client-params.dynamodb", ask_for_units)
db.meta.events.register("after-call.dynamodb", count)

records = DynamoDBPersistenceLayer(
    table_name=os.environ["IDEMPOTENCY_TABLE"],
    key_attr="pk",
    sort_key_attr="sk",
    expiry_attr="expiresAt",
    boto3_client=db,
)
config = IdempotencyConfig(
    event_key_jmespath='headers."idempotency-key"',
    payload_validation_jmespath="body",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=24 * 60 * 60,
)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def ulid(now):
    number = (now << 80) | secrets.randbits(80)
    return "".join(LETTERS[(number >> (5 * place)) & 31] for place in reversed(range(26)))


def refusal(status, code, errors=None):
    body = {"type": f"urn:cierre:problem:{code}", "status": status, "code": code, "errors": errors}
    return {"statusCode": status, "headers": {"content-type": "application/problem+json"}, "body": json.dumps(body)}


@idempotent(persistence_store=records, config=config)
def create(event, context):
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    company = claims.get("company_id")
    if not company:
        return refusal(403, "company_missing")
    if not {"admin", "billing"} & set(claims["cognito:groups"][1:-1].split(" ")):
        return refusal(403, "wrong_role")
    now = event["requestContext"]["timeEpoch"]
    correlation = event["headers"].get("x-correlation-id") or ulid(now)
    body = json.loads(event["body"])
    number = ulid(now)
    customer = {"pk": {"S": f"{company}#customer"}, "sk": {"S": str(body["customerId"]).zfill(10)}}
    settings = {"pk": {"S": company}, "sk": {"S": "settings"}}
    service = {"pk": {"S": f"{company}#svc#{int(sha256(number)[:2], 16) % 8}"}, "sk": {"S": number}}
    loaded = db.batch_get_item(
        RequestItems={
            BILLING_TABLE: {"Keys": [customer, service], "ConsistentRead": True},
            COMPANY_TABLE: {"Keys": [settings], "ConsistentRead": True},
        }
    )["Responses"]
    errors = []
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", body["serviceDate"]):
        errors.append({"pointer": "/serviceDate", "code": "invalid_date"})
    if not re.fullmatch(r"\d{1,8}\.\d\d", body["amount"]):
        errors.append({"pointer": "/amount", "code": "invalid_amount"})
    if not any(item["sk"] == customer["sk"] for item in loaded[BILLING_TABLE]):
        errors.append({"pointer": "/customerId", "code": "unknown_customer"})
    if errors:
        return refusal(422, "validation_failed", errors)

    at = datetime.fromtimestamp(now / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    user = claims["username"]
    activity = {
        "id": f"evt_{ulid(now)}",
        "timestamp": at,
        "company_id": company,
        "user": user,
        "user_id": claims["sub"],
        "event_type": "create",
        "action": "service_created",
        "resource_type": "service",
        "resource_id": f"svc_{number}",
        "details": {"serviceDate": body["serviceDate"], "customerId": body["customerId"], "amount": body["amount"]},
        "ip": event["requestContext"]["http"]["sourceIp"],
        "user_agent": event["requestContext"]["http"]["userAgent"],
        "correlation_id": correlation,
        "sequence": 1,
        "prev_hash": "0" * 64,
    }
    activity["hash"] = sha256(json.dumps(activity))
    view = {
        "id": f"svc_{number}",
        "serviceDate": body["serviceDate"],
        "customerId": body["customerId"],
        "amount": body["amount"],
        "description": body.get("description"),
        "status": "CREATED",
        "version": 1,
        "createdAt": at,
        "createdBy": user,
        "updatedAt": at,
    }
    dated = f"{body['serviceDate']}#{number}"
    item = {
        **service,
        "id": {"S": view["id"]},
        "serviceDate": {"S": body["serviceDate"]},
        "customerId": {"N": str(body["customerId"])},
        "amount": {"N": body["amount"].replace(".", "")},
        "status": {"S": "CREATED"},
        "sends": {"N": "0"},
        "createdAt": {"N": str(now)},
        "createdBy": {"S": user},
        "updatedAt": {"N": str(now)},
        "version": {"N": "1"},
        "correlationId": {"S": correlation},
        "head": {"M": {"sequence": {"N": "1"}, "hash": {"S": activity["hash"]}}},
        "listPk": {"S": f"{company}#services"},
        "listSort": {"S": dated},
        "customerPk": {"S": f"{company}#customer#{body['customerId']}"},
        "openSort": {"S": dated},
    }
    if body.get("description"):
        item["description"] = {"S": body["description"]}
    event_item = {
        "pk": {"S": f"{company}#service#svc_{number}"},
        "sk": {"S": "0000000001"},
        "event": {"S": json.dumps(activity)},
        "companyPk": {"S": company},
        "userPk": {"S": f"{company}#{user}"},
        "correlationPk": {"S": f"{company}#{correlation}"},
        "timeSort": {"S": f"{at}#{activity['id']}#create"},
    }
    db.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": ACTIVITY_TABLE, "Item": event_item, "ConditionExpression": ABSENT}},
            {"Put": {"TableName": BILLING_TABLE, "Item": item, "ConditionExpression": ABSENT}},
        ]
    )
    headers = {"content-type": "application/json", "location": f"/services/svc_{number}", "etag": '"1"', "x-correlation-id": correlation}
    return {"statusCode": 201, "headers": headers, "body": json.dumps(view)}


def handler(event, context):
    before = dict(consumed)
    answer = create(event, context)
    requests = consumed["requests"] - before["requests"]
    writes = consumed["writes"] - before["writes"]
    # After the utility has stored the answer: what it took belongs to the command.
    timing = f'dynamodb;desc="{requests} requests, {writes:.1f} write units, 0.0 read units"'
    return {**answer, "headers": {**answer["headers"], "server-timing": timing}}
