//! Objects of S3: which there are, and their bytes as they come.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;

use super::{Action, AwsError, AwsSource, Listed};

/// How often an object that breaks off is asked for again where it broke off.
const RESUMES: u32 = 10;

/// An object of `ListObjectsV2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectItem {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
}

/// The bytes of an object as they come. What breaks off is asked for again from there.
#[derive(Debug)]
pub struct ObjectStream {
    source: AwsSource,
    bucket: String,
    key: String,
    /// What tells that it is still the same object.
    tag: Option<String>,
    body: ByteStream,
    /// The bytes that came.
    position: u64,
    /// All of them, where the service says.
    length: Option<u64>,
    resumes: u32,
}

impl AwsSource {
    /// A page of the objects whose key begins with `prefix`, by the bytes of their keys.
    pub async fn list_objects(&self, bucket: &str, prefix: &str, token: Option<&str>) -> Result<Listed<ObjectItem>, AwsError> {
        let request = self.s3().list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(token.map(str::to_owned));
        let arn = format!("arn:aws:s3:::{bucket}");
        let page = self.send(Action::ListObjectsV2, &arn, || request.clone().send()).await?;
        let items = page.contents.unwrap_or_default().into_iter().filter_map(|object| {
            let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            Some(ObjectItem { key: object.key?, size })
        });
        Ok(Listed { items: items.collect(), next: page.next_continuation_token })
    }

    /// Begins to read an object.
    pub async fn open_object(&self, bucket: &str, key: &str) -> Result<ObjectStream, AwsError> {
        let answer = self.get_object(bucket, key, None).await?;
        Ok(ObjectStream {
            source: self.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            tag: answer.e_tag,
            length: answer.content_length.and_then(|length| u64::try_from(length).ok()),
            body: answer.body,
            position: 0,
            resumes: RESUMES,
        })
    }

    /// `from` is where to go on, and the tag of the object that was begun.
    async fn get_object(&self, bucket: &str, key: &str, from: Option<(u64, Option<&str>)>) -> Result<GetObjectOutput, AwsError> {
        let mut request = self.s3().get_object().bucket(bucket).key(key);
        if let Some((position, tag)) = from.filter(|(position, _)| *position > 0) {
            request = request.range(format!("bytes={position}-")).set_if_match(tag.map(str::to_owned));
        }
        let arn = format!("arn:aws:s3:::{bucket}/{key}");
        self.send(Action::GetObject, &arn, || request.clone().send()).await
    }
}

impl ObjectStream {
    /// The bytes of the whole object, where the service says.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes; `None` at the end. An error leaves what came before as it is.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, AwsError> {
        loop {
            let reason = match self.body.try_next().await {
                Ok(Some(bytes)) => {
                    self.position += bytes.len() as u64;
                    return Ok(Some(bytes.to_vec()));
                }
                Ok(None) if self.length.is_none_or(|length| self.position >= length) => return Ok(None),
                Ok(None) => "it ends too early".to_owned(),
                Err(error) => error.to_string(),
            };
            let Some(left) = self.resumes.checked_sub(1) else { return Err(self.broke_off(&reason)) };
            self.resumes = left;
            let from = Some((self.position, self.tag.as_deref()));
            let answer = self.source.get_object(&self.bucket, &self.key, from).await?;
            // Whoever takes no notice of the range begins anew, and what came already would count twice.
            let goes_on = format!("bytes {}-", self.position);
            if self.position > 0 && !answer.content_range.is_some_and(|range| range.starts_with(&goes_on)) {
                return Err(self.broke_off(&reason));
            }
            self.body = answer.body;
        }
    }

    fn broke_off(&self, reason: &str) -> AwsError {
        let arn = format!("arn:aws:s3:::{}/{}", self.bucket, self.key);
        let reason = format!("it broke off after {} bytes: {reason}", self.position);
        self.source.call(Action::GetObject, &arn).unreadable(reason)
    }
}
