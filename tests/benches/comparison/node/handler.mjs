// POST /services as api-billing has it: the same reads, the same decision, one transaction of event, service and idempotency record.
import { createHash, randomBytes } from "node:crypto";
import { BatchGetItemCommand, DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";

const { BILLING_TABLE, COMPANY_TABLE, ACTIVITY_TABLE, IDEMPOTENCY_TABLE } = process.env;
const DAY_SECONDS = 24 * 60 * 60;
const db = new DynamoDBClient({});

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const S = (text) => ({ S: text });
const N = (number) => ({ N: String(number) });

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
function ulid(now) {
  const bytes = Buffer.concat([Buffer.alloc(6), randomBytes(10)]);
  bytes.writeUIntBE(now, 0, 6);
  let rest = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let place = 0; place < 26; place += 1) {
    text = LETTERS[Number(rest & 31n)] + text;
    rest >>= 5n;
  }
  return text;
}

const refusal = (statusCode, code, errors) => ({
  statusCode,
  headers: { "content-type": "application/problem+json" },
  body: JSON.stringify({ type: `urn:cierre:problem:${code}`, status: statusCode, code, errors }),
});

export async function handler(event) {
  const consumed = { requests: 0, writes: 0 };
  const send = async (command) => {
    command.input.ReturnConsumedCapacity = "TOTAL";
    const answer = await db.send(command);
    consumed.requests += 1;
    if (command instanceof TransactWriteItemsCommand) {
      consumed.writes += answer.ConsumedCapacity.reduce((sum, table) => sum + table.CapacityUnits, 0);
    }
    return answer;
  };

  const claims = event.requestContext.authorizer.jwt.claims;
  const company = claims.company_id;
  const roles = claims["cognito:groups"].slice(1, -1).split(" ");
  if (!company) return refusal(403, "company_missing");
  if (!roles.includes("admin") && !roles.includes("billing")) return refusal(403, "wrong_role");
  const now = event.requestContext.timeEpoch;
  const correlation = event.headers["x-correlation-id"] ?? ulid(now);
  const body = JSON.parse(event.body);
  const request = sha256(JSON.stringify(body));

  const record = { pk: S(`${company}#${claims.sub}`), sk: S(sha256(`POST /services ${event.headers["idempotency-key"]}`)) };
  const customer = { pk: S(`${company}#customer`), sk: S(String(body.customerId).padStart(10, "0")) };
  const settings = { pk: S(company), sk: S("settings") };
  const id = ulid(now);
  const service = { pk: S(`${company}#svc#${parseInt(sha256(id).slice(0, 2), 16) % 8}`), sk: S(id) };
  const loaded = await send(new BatchGetItemCommand({
    RequestItems: {
      [IDEMPOTENCY_TABLE]: { Keys: [record], ConsistentRead: true },
      [BILLING_TABLE]: { Keys: [customer, service], ConsistentRead: true },
      [COMPANY_TABLE]: { Keys: [settings], ConsistentRead: true },
    },
  }));
  const known = loaded.Responses[IDEMPOTENCY_TABLE][0];
  if (known) {
    if (known.request.S !== request) return refusal(422, "idempotency_key_reused");
    return { statusCode: Number(known.status.N), headers: { "idempotency-replayed": "true" }, body: known.body.S };
  }
  const errors = [];
  if (!/^\d{4}-\d\d-\d\d$/.test(body.serviceDate)) errors.push({ pointer: "/serviceDate", code: "invalid_date" });
  if (!/^\d{1,8}\.\d\d$/.test(body.amount)) errors.push({ pointer: "/amount", code: "invalid_amount" });
  if (!loaded.Responses[BILLING_TABLE].some((item) => item.sk.S === customer.sk.S)) {
    errors.push({ pointer: "/customerId", code: "unknown_customer" });
  }
  if (errors.length > 0) return refusal(422, "validation_failed", errors);

  const at = new Date(now).toISOString();
  const amount = Number(body.amount.replace(".", ""));
  const activity = {
    id: `evt_${ulid(now)}`, timestamp: at, company_id: company, user: claims.username, user_id: claims.sub, event_type: "create",
    action: "service_created", resource_type: "service", resource_id: `svc_${id}`,
    details: { serviceDate: body.serviceDate, customerId: body.customerId, amount: body.amount },
    ip: event.requestContext.http.sourceIp, user_agent: event.requestContext.http.userAgent, correlation_id: correlation,
    sequence: 1, prev_hash: "0".repeat(64),
  };
  activity.hash = sha256(JSON.stringify(activity));
  const view = {
    id: `svc_${id}`, serviceDate: body.serviceDate, customerId: body.customerId, amount: body.amount, description: body.description ?? null,
    status: "CREATED", version: 1, createdAt: at, createdBy: claims.username, updatedAt: at,
  };
  const headers = { location: `/services/svc_${id}`, etag: '"1"' };
  const absent = "attribute_not_exists(pk)";
  const dated = `${body.serviceDate}#${id}`;
  await send(new TransactWriteItemsCommand({
    TransactItems: [
      { Put: { TableName: ACTIVITY_TABLE, ConditionExpression: absent, Item: {
        pk: S(`${company}#service#svc_${id}`), sk: S("0000000001"), event: S(JSON.stringify(activity)),
        companyPk: S(company), userPk: S(`${company}#${claims.username}`), correlationPk: S(`${company}#${correlation}`),
        timeSort: S(`${at}#${activity.id}#create`),
      } } },
      { Put: { TableName: BILLING_TABLE, ConditionExpression: absent, Item: {
        ...service, id: S(view.id), serviceDate: S(body.serviceDate), customerId: N(body.customerId), amount: N(amount), status: S("CREATED"),
        ...(body.description && { description: S(body.description) }), sends: N(0), createdAt: N(now), createdBy: S(claims.username),
        updatedAt: N(now), version: N(1), correlationId: S(correlation),
        head: { M: { sequence: N(1), hash: S(activity.hash) } }, listPk: S(`${company}#services`), listSort: S(dated),
        customerPk: S(`${company}#customer#${body.customerId}`), openSort: S(dated),
      } } },
      { Put: {
        TableName: IDEMPOTENCY_TABLE,
        ConditionExpression: `${absent} OR expiresAt <= :now`,
        ExpressionAttributeValues: { ":now": N(Math.floor(now / 1000)) },
        Item: {
          ...record, state: S("done"), request: S(request), status: N(201), headers: S(JSON.stringify(headers)),
          body: S(JSON.stringify(view)), expiresAt: N(Math.floor(now / 1000) + DAY_SECONDS),
        },
      } },
    ],
  }));
  const timing = `dynamodb;desc="${consumed.requests} requests, ${consumed.writes.toFixed(1)} write units, 0.0 read units"`;
  return {
    statusCode: 201,
    headers: { ...headers, "content-type": "application/json", "x-correlation-id": correlation, "server-timing": timing },
    body: JSON.stringify(view),
  };
}
