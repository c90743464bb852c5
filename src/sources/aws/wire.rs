//! The bodies of answers, as they came over the wire.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::AwsError;
use super::error::Call;
use crate::model::{ExecutionHeader, RawText};
use crate::sources::assemble::Page;
use crate::sources::document::{self, Fault, Found, Part};
use crate::sources::error::SourceError;
use crate::sources::event::Document;
use crate::sources::json::Cursor;
use crate::sources::limits::Limits;

/// Keeps the body of a call's last answer. One for each call.
#[derive(Debug, Clone, Default)]
pub(super) struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// Reads the body with the reader of its form.
    pub(super) fn read<T>(&self, call: &Call<'_>, reader: impl FnOnce(&Arc<String>) -> Result<T, String>) -> Result<T, AwsError> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let text = String::from_utf8(bytes).map_err(|error| error.to_string());
        text.and_then(|text| reader(&Arc::new(text))).map_err(|reason| call.unreadable(reason))
    }
}

/// The answer of `DescribeExecution`.
pub(super) fn header(text: &Arc<String>) -> Result<ExecutionHeader, String> {
    part(text)?.header.ok_or_else(|| "it describes no execution".to_owned())
}

/// The answer of `GetExecutionHistory`.
pub(super) fn page(text: &Arc<String>) -> Result<Page, String> {
    let pages = part(text)?.pages.unwrap_or_default();
    pages.into_iter().next().ok_or_else(|| "it holds no events".to_owned())
}

/// The definition in the answer of `DescribeStateMachineForExecution`.
pub(super) fn definition(text: &Arc<String>) -> Result<RawText, String> {
    part(text)?.definition.map(|definition| definition.text).ok_or_else(|| "it holds no definition".to_owned())
}

/// What an answer holds. A fault goes before everything else: the SDK has read the answer before, so there should be none.
fn part(text: &Arc<String>) -> Result<Part, String> {
    let depth = Limits::default().depth;
    let mut parts: Result<Option<Part>, String> = Ok(None);
    let mut take = |read: Result<Found, Fault>| match (&mut parts, read) {
        (Ok(first), Ok(Found::Part(part))) => _ = first.get_or_insert(part),
        (Ok(_), Ok(Found::Message { .. })) => parts = Err("it holds log records".to_owned()),
        (Ok(_), Err(fault)) => parts = Err(described(fault)),
        (Err(_), _) => {}
    };
    document::read(&mut Cursor::new(text, 0, depth), Document::new(text), &mut take)
        .map_err(|error| SourceError::json("at", 1, text, error, depth).to_string())?;
    parts?.ok_or_else(|| "it holds nothing".to_owned())
}

fn described(fault: Fault) -> String {
    match fault {
        Fault::Other { found } => format!("it holds {found}"),
        Fault::NotEvents { first, found, .. } => format!("element {first} of its events is {found}"),
    }
}

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    // Before deserialisation the body is still a stream; after it the SDK holds all of it.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            bytes.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }
}
