//! What a Distributed Map reads and writes: datasets of items, batches of items, results.
//!
//! Pure but for the objects that it asks of the [`World`](super::World). A failure is either one of the Map Run, with the words
//! of the service where they are known, or something that cannot be told here, for which whoever set up the run gets advice.

mod batch;
mod config;
mod csv;
mod json;
mod manifest;
mod object;
mod read;
mod results;
#[cfg(test)]
mod tests;
mod tolerance;

use std::borrow::Cow;
use std::rc::Rc;

use thiserror::Error;

pub use batch::{Batching, batches};
pub use read::{Request, items_of, read};
pub use results::{ChildResult, Location, ResultFormat, Transformation, inline_output, write};
pub use tolerance::Tolerance;

use super::ObjectError;
use crate::expr::Value;

/// One item of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// `$$.Map.Item.Value`.
    pub value: Value,
    /// `$$.Map.Item.Key`: the name of the member when the dataset is an object.
    pub key: Option<Rc<str>>,
    /// `$$.Map.Item.Source`.
    pub source: Rc<str>,
}

impl Item {
    /// What a child gets without an `ItemSelector`: the item, or the pair of name and value.
    pub fn input(&self) -> Value {
        match &self.key {
            None => self.value.clone(),
            Some(key) => Value::object([("Key", Value::String(Rc::clone(key))), ("Value", self.value.clone())]),
        }
    }
}

/// How much is read before a dataset counts as too large to be held in memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all objects together, after any compression is undone. The service reads 10 GB a file.
    pub bytes: usize,
    /// Items. The service runs 100,000,000.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, items: 2_000_000 }
    }
}

/// Why a dataset could not be read, or results not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatasetError {
    /// The Map Run fails with this error, as it would in the service.
    #[error("{error}: {cause}")]
    #[allow(missing_docs, reason = "the message shows them all")]
    Failed { error: Cow<'static, str>, cause: String },
    /// What the service would do is not known here; the text says what is missing.
    #[error("{0}")]
    Unavailable(String),
}

impl DatasetError {
    fn reader(cause: impl Into<String>) -> Self {
        Self::Failed { error: "States.ItemReaderFailed".into(), cause: cause.into() }
    }

    fn writer(cause: impl Into<String>) -> Self {
        Self::Failed { error: "States.ResultWriterFailed".into(), cause: cause.into() }
    }

    /// A bucket that nobody gave says nothing about the service's; a missing object of a given one does.
    fn object(error: &ObjectError, failed: fn(String) -> Self) -> Self {
        match error {
            ObjectError::NoBucket(_) => Self::Unavailable(error.to_string()),
            ObjectError::NoKey { .. } => failed(format!("The specified key does not exist: {error}.")),
            ObjectError::Other(text) => failed(text.clone()),
        }
    }
}
