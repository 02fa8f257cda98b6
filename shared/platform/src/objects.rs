//! Objects of the bucket: read in a stream, in part or whole, written whole, copied, and handed out by signed addresses.
//!
//! What is missing is none and no failure: an object may be taken away between an event and its reader.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::TaggingDirective;
use cierre_kernel::time::Instant;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::aws::{Aws, Lazy};
use crate::error::{Doing, Failure};

/// Environment variable with the name of the bucket.
pub const UPLOADS_BUCKET: &str = "UPLOADS_BUCKET";

/// One try of a request; of a download only up to its first byte, of an upload all of it.
const TRY: Duration = Duration::from_secs(60);
/// All tries of one request.
const REQUEST: Duration = Duration::from_secs(150);
/// The metadata entry in which an object's SHA-256 stands.
const SHA256: &str = "sha256";
/// What a key may hold in a header unescaped.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Lazy<Client>,
    bucket: String,
}

/// An object as its headers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Bytes.
    pub bytes: u64,
    /// The ETag without quotation marks.
    pub etag: String,
    /// When the bucket took it, to the second.
    pub modified: Instant,
    /// SHA-256 in hexadecimal digits, of what [`Objects::put`] wrote.
    pub sha256: Option<String>,
}

/// A request that somebody without credentials may send until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `GET` or `PUT`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// The headers that have to be sent exactly so.
    pub headers: Vec<(String, String)>,
}

impl Objects {
    /// The bucket whose name stands in the environment variable.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn from_env(aws: &Aws, variable: &'static str) -> Result<Self, Failure> {
        let bucket = std::env::var(variable)
            .doing(&format!("reading the environment variable {variable}"))?;
        Ok(Self::new(aws.client(client), bucket))
    }

    /// A bucket by its name.
    pub fn new(client: impl Into<Lazy<Client>>, bucket: String) -> Self {
        Self {
            client: client.into(),
            bucket,
        }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What an object's headers tell; none when there is no such object.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn head(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<ObjectMeta>, Failure> {
        let sent = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        let Some(found) = present(sent, "looking at an object")? else {
            return Ok(None);
        };
        let modified = found.last_modified().map(|at| at.secs() * 1000);
        Ok(Some(ObjectMeta {
            bytes: bytes(found.content_length()),
            etag: etag(found.e_tag()),
            modified: Instant::from_millis(modified.unwrap_or_default()),
            sha256: found
                .metadata()
                .and_then(|metadata| metadata.get(SHA256))
                .cloned(),
        }))
    }

    /// Reads one version of an object piece by piece; `take` answers whether it wants more. Answers the ETag, or none when there is no such
    /// object.
    ///
    /// # Errors
    /// When S3 does not answer or breaks off, or `take` fails.
    pub async fn stream(
        &self,
        key: &str,
        version: Option<&str>,
        mut take: impl FnMut(&[u8]) -> std::io::Result<bool>,
    ) -> Result<Option<String>, Failure> {
        let request = self.get_request(key);
        let sent = request.set_version_id(version.map(str::to_owned)).send();
        let Some(mut found) = present(sent.await, "reading an object")? else {
            return Ok(None);
        };
        while let Some(piece) = found.body.try_next().await.doing("reading an object")? {
            if !take(&piece).doing("keeping what was read of an object")? {
                break;
            }
        }
        Ok(Some(etag(found.e_tag())))
    }

    /// Reads an object whole; none when there is none.
    ///
    /// # Errors
    /// When S3 does not answer or breaks off.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.collect(self.get_request(key)).await
    }

    /// Reads so many bytes of an object from an offset on, fewer at its end; none when there is no such object.
    ///
    /// # Errors
    /// When S3 does not answer or breaks off.
    pub async fn range(
        &self,
        key: &str,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let last = offset.saturating_add(length).saturating_sub(1);
        self.collect(
            self.get_request(key)
                .range(format!("bytes={offset}-{last}")),
        )
        .await
    }

    fn get_request(&self, key: &str) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.bucket).key(key)
    }

    async fn collect(&self, request: GetObjectFluentBuilder) -> Result<Option<Vec<u8>>, Failure> {
        let Some(found) = present(request.send().await, "reading an object")? else {
            return Ok(None);
        };
        let whole = found.body.collect().await.doing("reading an object")?;
        Ok(Some(whole.to_vec()))
    }

    /// Writes an object; its SHA-256 in hexadecimal digits goes with it, and is the answer.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn put(
        &self,
        key: &str,
        content: Vec<u8>,
        media_type: &str,
    ) -> Result<String, Failure> {
        let sha256 = cierre_kernel::canonical::sha256_hex(&content);
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(media_type)
            .metadata(SHA256, &sha256)
            .body(ByteStream::from(content))
            .send()
            .await
            .doing("writing an object")?;
        Ok(sha256)
    }

    /// Copies one version of an object within the bucket. Whether there was one to copy.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn copy(&self, from: &str, version: Option<&str>, to: &str) -> Result<bool, Failure> {
        let mut source = format!("{}/{}", self.bucket, utf8_percent_encode(from, PATH));
        if let Some(version) = version {
            source.push_str("?versionId=");
            source.push_str(version);
        }
        let sent = self
            .client
            .copy_object()
            .bucket(&self.bucket)
            .key(to)
            .copy_source(source)
            // Tags are nobody's business here, and copying them would take rights of their own.
            .tagging_directive(TaggingDirective::Replace)
            .send()
            .await;
        Ok(present(sent, "copying an object")?.is_some())
    }

    /// Removes one version of an object, or puts a mark of deletion on it when none is named. One that is not there is removed.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn remove(&self, key: &str, version: Option<&str>) -> Result<(), Failure> {
        let sent = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        present(sent, "removing an object")?;
        Ok(())
    }

    /// The request by which somebody may write exactly so many bytes under this key, of this type if one is named.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn sign_put(
        &self,
        key: &str,
        media_type: Option<&str>,
        length: u64,
        life: Duration,
    ) -> Result<Signed, Failure> {
        let length = i64::try_from(length).doing("signing an upload")?;
        let life = PresigningConfig::expires_in(life).doing("signing an upload")?;
        let signed = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_content_type(media_type.map(str::to_owned))
            .content_length(length)
            .presigned(life)
            .await
            .doing("signing an upload")?;
        Ok(Signed::of(&signed))
    }

    /// The request by which somebody may read an object, under a name to keep it by.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn sign_get(&self, key: &str, name: &str, life: Duration) -> Result<Signed, Failure> {
        let life = PresigningConfig::expires_in(life).doing("signing a download")?;
        // Names are ours and hold no quotation marks; what is not ASCII goes in the extended form (RFC 6266).
        let disposition = format!(
            "attachment; filename*=UTF-8''{}",
            utf8_percent_encode(name, PATH)
        );
        let signed = self
            .get_request(key)
            .response_content_disposition(disposition)
            .presigned(life)
            .await
            .doing("signing a download")?;
        Ok(Signed::of(&signed))
    }
}

impl Signed {
    fn of(request: &PresignedRequest) -> Self {
        let mut headers: Vec<(String, String)> = request
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        headers.sort();
        Self {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            headers,
        }
    }
}

/// Objects are larger than anything else that is asked for, so requests take longer. Sums over what is sent are left out where S3 does not demand
/// them: a signed address would otherwise be good for one content only, the empty one.
fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(TRY)
        .operation_timeout(REQUEST)
        .build();
    let builder = aws_sdk_s3::config::Builder::from(config)
        .timeout_config(timeouts)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Client::from_conf(builder.build())
}

/// None for what is not there.
fn present<T, E, R>(sent: Result<T, SdkError<E, R>>, what: &str) -> Result<Option<T>, Failure>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: std::error::Error,
{
    match sent {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(Failure::new(what, error)),
    }
}

fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let code = error.as_service_error().and_then(|error| error.code());
    matches!(
        code,
        Some("NoSuchKey" | "NoSuchVersion" | "NotFound" | "404")
    )
}

fn bytes(length: Option<i64>) -> u64 {
    length
        .and_then(|length| u64::try_from(length).ok())
        .unwrap_or_default()
}

fn etag(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}
