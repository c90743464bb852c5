//! A bucket of S3 as a place of result files.

use std::io::{self, Read};

use super::connection::Aws;
use crate::sources::aws::ObjectStream;
use crate::sources::result_files::Place;

/// More pages than a prefix of result files can have: a thousand keys each.
const MOST_PAGES: usize = 10_000;

/// What is below a prefix.
pub struct Bucket {
    aws: Aws,
    name: String,
    prefix: String,
}

/// `s3://bucket/key` to its two parts; `None` for other text.
pub fn parse(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

impl Bucket {
    /// `prefix` may be a key.
    pub fn new(aws: Aws, bucket: &str, prefix: &str) -> Self {
        Self { aws, name: bucket.to_owned(), prefix: prefix.to_owned() }
    }
}

impl Place for Bucket {
    fn name(&self, path: &str) -> String {
        format!("s3://{}/{path}", self.name)
    }

    fn list(&mut self) -> Result<Vec<(String, u64)>, String> {
        let mut found = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = self.aws.source.list_objects(&self.name, &self.prefix, token.as_deref());
            let page = self.aws.wait(page).map_err(|error| format!("{}: {error}", self.name(&self.prefix)))?;
            found.extend(page.items.into_iter().map(|object| (object.key, object.size)));
            match page.next {
                None => return Ok(found),
                next if next == token => break,
                next => token = next,
            }
        }
        Err(format!("{}: the listing does not end; name a manifest.json", self.name(&self.prefix)))
    }

    fn open(&mut self, path: &str) -> Result<Box<dyn Read + Send + '_>, String> {
        let stream = self.aws.wait(self.aws.source.open_object(&self.name, path));
        let stream = stream.map_err(|error| format!("{}: {error}", self.name(path)))?;
        Ok(Box::new(Blocking { aws: self.aws.clone(), stream, chunk: Vec::new(), given: 0 }))
    }
}

/// An object as a reader that waits for its bytes.
struct Blocking {
    aws: Aws,
    stream: ObjectStream,
    chunk: Vec<u8>,
    given: usize,
}

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            match self.aws.wait(self.stream.next()) {
                Ok(Some(chunk)) => (self.chunk, self.given) = (chunk, 0),
                Ok(None) => return Ok(0),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let length = buffer.len().min(self.chunk.len() - self.given);
        buffer[..length].copy_from_slice(&self.chunk[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_may_have_a_key() {
        assert_eq!(parse("s3://results/a/b.json"), Some(("results", "a/b.json")));
        assert_eq!(parse("s3://results"), Some(("results", "")));
        assert_eq!(parse("s3:///a"), None);
        assert_eq!(parse("results/a"), None);
    }
}
