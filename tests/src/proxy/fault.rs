//! What can go wrong with a call, and what the caller is told then.

use serde_json::{Value, json};

use super::wire::Answer;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The connection ends; nothing happened.
    Closed,
    /// A 5xx; nothing happened.
    Unavailable,
    /// Too much at once, in the form that the call has for it; nothing happened.
    Throttled,
    /// Another transaction holds an item; nothing happened.
    Conflict,
    /// It happened, and the connection ends before the answer.
    LostByClosing,
    /// It happened, and a 500 is answered.
    LostByError,
    /// It happened, and the answer comes when nobody waits for it any more.
    Slow,
    /// The caller dies; nothing happened.
    DiesBefore,
    /// It happened, and the caller dies without having heard of it.
    DiesAfter,
}

impl Fault {
    /// Every fault that a caller survives.
    pub const SURVIVABLE: [Self; 7] = [
        Self::Closed,
        Self::Unavailable,
        Self::Throttled,
        Self::Conflict,
        Self::LostByClosing,
        Self::LostByError,
        Self::Slow,
    ];

    /// Whether the caller dies of it.
    pub const fn is_death(self) -> bool {
        match self {
            Self::DiesBefore | Self::DiesAfter => true,
            Self::Closed
            | Self::Unavailable
            | Self::Throttled
            | Self::Conflict
            | Self::LostByClosing
            | Self::LostByError
            | Self::Slow => false,
        }
    }

    /// Whether the service could answer this call so.
    pub fn fits(self, call: &Call) -> bool {
        match self {
            Self::Conflict => call.writes(),
            Self::Closed
            | Self::Unavailable
            | Self::Throttled
            | Self::LostByClosing
            | Self::LostByError
            | Self::Slow
            | Self::DiesBefore
            | Self::DiesAfter => true,
        }
    }
}

/// A call that the proxy saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `DynamoDB_20120810` or `AmazonSQS`.
    pub service: String,
    /// Such as `TransactWriteItems`.
    pub operation: String,
    /// The first of the things that it is about.
    pub about: Vec<String>,
    /// What was done to it.
    pub fault: Option<Fault>,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation, self.about.join(", "))?;
        match self.fault {
            Some(fault) => write!(f, "   <-- {fault:?}"),
            None => Ok(()),
        }
    }
}

/// Things named in a call's description.
const SHOWN: usize = 3;

impl Call {
    pub(super) fn of(target: &str, body: &Value) -> Self {
        let (service, operation) = target.split_once('.').unwrap_or(("", target));
        let mut about = Vec::new();
        keys_in(body, &mut about);
        about.extend(body["MessageBody"].as_str().map(str::to_owned));
        about.truncate(SHOWN);
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            about,
            fault: None,
        }
    }

    /// Whether it may meet another transaction's writes with a refusal.
    pub fn writes(&self) -> bool {
        ["TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"]
            .contains(&self.operation.as_str())
    }

    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        ["GetItem", "BatchGetItem", "Query", "ReceiveMessage"].contains(&self.operation.as_str())
    }

    /// Whether it is a batch that may be carried out in part.
    pub fn is_batch(&self) -> bool {
        ["BatchGetItem", "BatchWriteItem"].contains(&self.operation.as_str())
    }

    /// Whether it carries a token, so that a repeat of the same request has no second effect.
    pub fn has_token(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// Whether it is this call at another time. Places in a chain of events move on; they are all digits.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let place = |about: &str| about.bytes().all(|b| b.is_ascii_digit());
        let same =
            |(ours, theirs): (&String, &String)| ours == theirs || (place(ours) && place(theirs));
        self.operation == other.operation
            && self.about.len() == other.about.len()
            && self.about.iter().zip(&other.about).all(same)
    }

    /// Whether it is a queue's.
    pub fn is_queue(&self) -> bool {
        self.service == "AmazonSQS"
    }
}

/// The sort keys that stand anywhere in a request, in order.
fn keys_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(key) = members.get("sk").and_then(|sk| sk["S"].as_str()) {
                found.push(key.to_owned());
            }
            for member in members.values() {
                keys_in(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys_in(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The answer of a service that has too much to do. Batches keep back what they did not get to instead of refusing.
pub(super) fn throttled(call: &Call, body: &Value) -> Answer {
    match call.operation.as_str() {
        "BatchGetItem" => {
            let kept = json!({ "Responses": {}, "UnprocessedKeys": body["RequestItems"] });
            answer(200, &kept)
        }
        "BatchWriteItem" => answer(200, &json!({ "UnprocessedItems": body["RequestItems"] })),
        _ if call.is_queue() => refusal(400, "com.amazonaws.sqs#RequestThrottled"),
        _ => refusal(
            400,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        ),
    }
}

/// The answer of a service that is out of order.
pub(super) fn unavailable(call: &Call) -> Answer {
    if call.is_queue() {
        refusal(503, "com.amazonaws.sqs#ServiceUnavailable")
    } else {
        refusal(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
    }
}

/// The refusal of a write that met another transaction. Of a transaction's actions the first one met it, the second one was throttled.
pub(super) fn conflict(body: &Value) -> Answer {
    let Some(actions) = body["TransactItems"].as_array() else {
        return refusal(
            400,
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        );
    };
    let reasons: Vec<Value> = (0..actions.len())
        .map(|position| match position {
            0 => json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }),
            1 => json!({ "Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity" }),
            _ => json!({ "Code": "None" }),
        })
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    answer(400, &body)
}

fn refusal(status: u16, code: &str) -> Answer {
    answer(
        status,
        &json!({ "__type": code, "message": "injected by the test" }),
    )
}

fn answer(status: u16, body: &Value) -> Answer {
    let content_type = (
        "content-type".to_owned(),
        "application/x-amz-json-1.0".to_owned(),
    );
    Answer {
        status,
        headers: vec![content_type],
        body: body.to_string().into_bytes(),
    }
}
