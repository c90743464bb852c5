//! Puts items together, as `ItemBatcher` says.

use crate::expr::{Object, Value};

/// An `ItemBatcher`, when everything was filled in.
#[derive(Debug, Clone, Default)]
pub struct Batching {
    /// `MaxItemsPerBatch`.
    pub max_items: Option<u64>,
    /// `MaxInputBytesPerBatch`: of the JSON text that a child gets, the batch input included.
    pub max_input_bytes: Option<u64>,
    /// `BatchInput`.
    pub batch_input: Option<Value>,
}

/// The inputs of the children, and how many items each has. An item that is too large by itself makes a batch of its own.
pub fn batches(items: impl IntoIterator<Item = Value>, batching: &Batching) -> Vec<(Value, u64)> {
    let most_items = batching.max_items.filter(|&number| number > 0).unwrap_or(u64::MAX);
    let most_bytes = batching.max_input_bytes.filter(|&number| number > 0).unwrap_or(u64::MAX);
    // An empty batch: everything but the items.
    let frame = length(&input_of(Vec::new(), batching.batch_input.as_ref()));
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), frame);
    for item in items {
        let size = if most_bytes == u64::MAX { 0 } else { length(&item) };
        let comma = u64::from(!batch.is_empty());
        if !batch.is_empty() && (batch.len() as u64 >= most_items || bytes + comma + size > most_bytes) {
            batches.push(std::mem::take(&mut batch));
            bytes = frame + size;
        } else {
            bytes += comma + size;
        }
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    let input = batching.batch_input.as_ref();
    batches.into_iter().map(|batch| (batch.len() as u64, batch)).map(|(items, batch)| (input_of(batch, input), items)).collect()
}

/// `{"BatchInput": …, "Items": […]}`
fn input_of(items: Vec<Value>, batch_input: Option<&Value>) -> Value {
    let mut object = Object::with_capacity(2);
    if let Some(input) = batch_input {
        object.insert("BatchInput", input.clone());
    }
    object.insert("Items", items);
    object.into()
}

fn length(value: &Value) -> u64 {
    value.to_json().len() as u64
}
