//! gzip and zstd, told by their first bytes, and held to a limit when they unfold to far more than they are.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::limits::Limits;

/// Takes the compression off `input`, if there is any.
pub(super) fn decompressed<'r>(mut input: impl Read + Send + 'r, limits: &Limits) -> io::Result<Box<dyn Read + Send + 'r>> {
    let mut head = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut head)?;
    let is_gzip = head.starts_with(&[0x1F, 0x8B]);
    let is_zstd = head == [0x28, 0xB5, 0x2F, 0xFD];
    let whole = io::Cursor::new(head).chain(input);
    if !is_gzip && !is_zstd {
        return Ok(Box::new(whole));
    }
    let consumed = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: whole, count: Arc::clone(&consumed) };
    let inner: Box<dyn Read + Send + 'r> =
        if is_gzip { Box::new(flate2::read::MultiGzDecoder::new(counted)) } else { Box::new(zstd::stream::read::Decoder::new(counted)?) };
    let free = u64::try_from(limits.document_bytes()).unwrap_or(u64::MAX);
    Ok(Box::new(Bounded { inner, consumed, produced: 0, free, expansion: limits.expansion }))
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Ends with an error when far more comes out than went in.
struct Bounded<'r> {
    inner: Box<dyn Read + Send + 'r>,
    consumed: Arc<AtomicU64>,
    produced: u64,
    /// As much may come out in any case.
    free: u64,
    expansion: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.produced += length as u64;
        if self.produced > self.free && self.produced / self.expansion.max(1) > self.consumed.load(Ordering::Relaxed) {
            let message = format!("the compressed data grows more than {}-fold, which is the limit; is it a history?", self.expansion);
            return Err(io::Error::other(message));
        }
        Ok(length)
    }
}
