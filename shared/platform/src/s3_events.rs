//! What a bucket says about its objects, as it stands in a queue.
//!
//! The bucket tells of every object at least once, in any order; [`Notice::sequencer`] orders what it tells about one key.

use aws_lambda_events::event::s3::S3EventRecord;
use cierre_kernel::time::Instant;
use serde::Deserialize;

/// A key that S3 could not have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object key is not decodable")]
pub struct UndecodableKey;

/// The key as it is in the bucket, out of an event's, where blanks are `+` and other bytes `%` with two digits.
///
/// # Errors
/// [`UndecodableKey`].
pub fn decode_key(text: &str) -> Result<String, UndecodableKey> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex_digit(rest.next())?;
                let low = hex_digit(rest.next())?;
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| UndecodableKey)
}

fn hex_digit(byte: Option<u8>) -> Result<u8, UndecodableKey> {
    byte.and_then(|byte| char::from(byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(UndecodableKey)
}

/// What the bucket sends once, when it is told where to send.
#[derive(Clone, Debug, Deserialize)]
pub struct TestEvent {
    #[serde(rename = "Event")]
    event: String,
}

impl TestEvent {
    /// Whether it is that one.
    pub fn is_test(&self) -> bool {
        self.event == "s3:TestEvent"
    }
}

/// An object as the bucket's event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub clave: String,
    /// The version, in a bucket that keeps them.
    pub version_id: Option<String>,
    /// The ETag.
    pub etag: String,
    /// Orders the events of one key.
    pub sequencer: String,
    /// Bytes.
    pub tamano: u64,
    /// The event's time.
    pub ocurrido_en: Instant,
}

impl Notice {
    /// Reads a record; none when it does not tell of an object under a decodable key.
    pub fn of(record: &S3EventRecord) -> Option<Self> {
        let object = &record.s3.object;
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Some(Self {
            bucket: filled(&record.s3.bucket.name)?,
            clave: decode_key(object.key.as_deref()?).ok()?,
            version_id: filled(&object.version_id),
            etag: filled(&object.e_tag).unwrap_or_default(),
            sequencer: filled(&object.sequencer).unwrap_or_default(),
            tamano: object
                .size
                .and_then(|size| u64::try_from(size).ok())
                .unwrap_or_default(),
            ocurrido_en: Instant::from_millis(record.event_time.timestamp_millis()),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::s3::S3Event;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const PUT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2025-10-17T10:30:00.123Z",
        "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
        "responseElements":{"x-amz-request-id":"r","x-amz-id-2":"i"},
        "s3":{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{"name":"b","ownerIdentity":{"principalId":"x"},"arn":"arn:aws:s3:::b"},
        "object":{"key":"payroll/demo/a+b%C3%B1.csv","size":3,"eTag":"e","versionId":"v","sequencer":"0055AED6DCD90281E5"}}}]}"#;

    #[test]
    fn what_the_bucket_says_is_read() {
        let event: S3Event = serde_json::from_str(PUT).unwrap();
        let notice = Notice::of(&event.records[0]).unwrap();
        assert_eq!(notice.clave, "payroll/demo/a bñ.csv");
        assert_eq!(notice.version_id.as_deref(), Some("v"));
        assert_eq!(
            (notice.tamano, notice.sequencer.as_str()),
            (3, "0055AED6DCD90281E5")
        );
        assert_eq!(notice.ocurrido_en.to_string(), "2025-10-17T10:30:00.123Z");
    }

    #[test]
    fn the_first_message_of_a_bucket_is_a_test() {
        let text = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2025-10-17T10:30:00.000Z","Bucket":"b","RequestId":"r","HostId":"h"}"#;
        let test: TestEvent = serde_json::from_str(text).unwrap();
        assert!(test.is_test());
    }

    #[rstest]
    #[case("payroll/acme/x+y.csv", Ok("payroll/acme/x y.csv"))]
    #[case("a%2Bb%20c%C3%B1%2fd", Ok("a+b cñ/d"))]
    #[case("%25", Ok("%"))]
    #[case("", Ok(""))]
    #[case("%", Err(UndecodableKey))]
    #[case("%4", Err(UndecodableKey))]
    #[case("%zz", Err(UndecodableKey))]
    #[case("%+1", Err(UndecodableKey))]
    #[case("%FF", Err(UndecodableKey))]
    fn keys_are_decoded(#[case] text: &str, #[case] expected: Result<&str, UndecodableKey>) {
        assert_eq!(decode_key(text), expected.map(str::to_owned));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(key in "\\PC{0,40}") {
            let encoded: String = key.bytes().map(|byte| match byte {
                b' ' => "+".to_owned(),
                b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            }).collect();
            prop_assert_eq!(decode_key(&encoded), Ok(key));
        }
    }
}
