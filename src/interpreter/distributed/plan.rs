//! What a Distributed Map asks for: its fields filled in, then its items made into the inputs of its children, then their results.
//!
//! | when                                       | what is filled in                                                    |
//! |--------------------------------------------|----------------------------------------------------------------------|
//! | after `MapStateStarted`                    | tolerance, `MaxItems`, places of datasets and results, sizes of batches |
//! | after `MapRunStarted`                      | the dataset is read; `ItemSelector` for each item; `BatchInput`      |
//! | after the last child                       | results are written                                                  |

use std::rc::Rc;

use super::children::ChildrenEnded;
use super::names::Names;
use crate::asl::machine::{Distributed, ItemBatcher, ItemReader, Map, ResultWriter, Setting};
use crate::expr::{EvaluationError, Scope, Template, Value};
use crate::interpreter::World;
use crate::interpreter::context::{Around, MapItem};
use crate::interpreter::dataset::{self, Batching, DatasetError, Item, Limits, Location, ResultFormat, Tolerance};
use crate::interpreter::failure::{DATA_LIMIT, Problem};
use crate::interpreter::payload::Payload;
use crate::interpreter::settings;

/// Of a child that succeeded some two kilobytes stay.
const MOST_CHILDREN: usize = 400_000;
/// What the inputs of all children may have together; each is kept as text for the results.
const MOST_INPUT_BYTES: usize = 1 << 30;

/// The fields of a Distributed Map, filled in.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tolerance: Tolerance,
    reader: Option<Reading>,
    batching: Option<Batching>,
    writer: Option<(String, String)>,
    format: ResultFormat,
}

/// An `ItemReader`.
#[derive(Debug)]
struct Reading {
    resource: Rc<str>,
    arguments: Value,
    config: Value,
    max_items: Option<i64>,
}

impl Plan {
    /// Fills in the fields that the service looks at before the Map Run begins.
    pub(super) fn fill(distributed: &Distributed, scope: Scope<'_>) -> Result<Self, EvaluationError> {
        let tolerance = Tolerance {
            count: tolerated_count(distributed.tolerated_failure_count.as_ref(), scope)?,
            percentage: tolerated_percentage(distributed.tolerated_failure_percentage.as_ref(), scope)?,
        };
        let reader = distributed.reader.as_ref().map(|reader| Reading::fill(reader, scope)).transpose()?;
        let batching = distributed.batcher.as_ref().map(|batcher| batching(batcher, scope)).transpose()?;
        let writer = match &distributed.writer {
            Some(writer) => place(writer, scope)?,
            None => None,
        };
        let config = distributed.writer.as_ref().map_or(&Value::Null, |writer| &writer.config);
        let format = ResultFormat::parse(config, writer.is_some());
        Ok(Self { tolerance, reader, batching, writer, format })
    }

    /// The inputs of the children, and how many items are in each. `given` are the items of the state's own input, where there is no
    /// `ItemReader`.
    pub(super) fn inputs(
        &self,
        map: &Map,
        given: &Value,
        effective: &Value,
        around: Around<'_>,
        entered_event: u64,
        world: &mut dyn World,
    ) -> Result<Vec<(Payload, u64)>, DatasetError> {
        let items = match &self.reader {
            Some(reader) => reader.read(world)?,
            None => dataset::items_of(given).unwrap_or_default(),
        };
        let selector = map.item_selector.as_ref();
        let mut values = Vec::with_capacity(items.len());
        for (item, index) in items.into_iter().zip(0..) {
            let value = selected(item, index, selector, effective, around);
            values.push(value.map_err(|error| {
                let failure = Problem::Evaluation(error.clone()).failure(around.state, entered_event);
                DatasetError::Failed { error: error.error.into(), cause: failure.cause.as_deref().unwrap_or_default().to_owned() }
            })?);
        }
        let inputs = match &self.batching {
            Some(batching) => dataset::batches(values, batching),
            None => values.into_iter().map(|value| (value, 1)).collect(),
        };
        let inputs: Vec<(Payload, u64)> = inputs.into_iter().map(|(input, items)| (Payload::from(input), items)).collect();
        check_amount(&inputs)?;
        match inputs.iter().position(|(input, _)| !input.fits()) {
            None => Ok(inputs),
            Some(position) => {
                let cause = format!("The input of child execution {position} exceeds the maximum number of bytes service limit.");
                Err(DatasetError::Failed { error: DATA_LIMIT.into(), cause })
            }
        }
    }

    /// What the state gets of its children, or how the Map Run fails.
    pub(super) fn result(&self, names: &Names, children: &ChildrenEnded, world: &mut dyn World) -> Result<Value, DatasetError> {
        let result = match &self.writer {
            // A failed Map Run leaves its files as well.
            Some((bucket, prefix)) => {
                let location = Location { bucket, prefix, map_run_arn: &names.arn };
                dataset::write(world, location, &children.results, self.format)?
            }
            None if children.exceeded => Value::Null,
            None => dataset::inline_output(&children.results, self.format),
        };
        if children.exceeded { Err(Tolerance::error()) } else { Ok(result) }
    }
}

impl Reading {
    fn fill(reader: &ItemReader, scope: Scope<'_>) -> Result<Self, EvaluationError> {
        let max_items = reader.max_items.as_ref().map(|setting| settings::integer(setting, "MaxItems", scope)).transpose()?;
        let arguments = filled(reader.arguments.as_ref(), scope)?;
        Ok(Self { resource: Rc::clone(&reader.resource), arguments, config: reader.config.clone(), max_items })
    }

    fn read(&self, world: &mut dyn World) -> Result<Vec<Item>, DatasetError> {
        let Self { resource, arguments, config, max_items } = self;
        dataset::read(world, &dataset::Request { resource, arguments, config, max_items: *max_items, limits: Limits::default() })
    }
}

/// The input of a child, or what goes into a batch.
fn selected(item: Item, index: u64, selector: Option<&Template>, effective: &Value, around: Around<'_>) -> Result<Value, EvaluationError> {
    let Some(selector) = selector else { return Ok(item.input()) };
    let item = MapItem { index, value: item.value, key: item.key, source: Some(item.source) };
    let around = Around { item: Some(&item), ..around };
    selector.evaluate(Scope { input: effective, result: None, error_output: None, around: &around })
}

/// `ToleratedFailureCount`.
pub(in crate::interpreter) fn tolerated_count(setting: Option<&Setting>, scope: Scope<'_>) -> Result<Option<u64>, EvaluationError> {
    let Some(setting) = setting else { return Ok(None) };
    let count = settings::integer(setting, "ToleratedFailureCount", scope)?;
    u64::try_from(count).map(Some).map_err(|_| EvaluationError::runtime("ToleratedFailureCount cannot be negative."))
}

/// `ToleratedFailurePercentage`.
pub(in crate::interpreter) fn tolerated_percentage(setting: Option<&Setting>, scope: Scope<'_>) -> Result<Option<f64>, EvaluationError> {
    let Some(setting) = setting else { return Ok(None) };
    let percentage = settings::number(setting, "ToleratedFailurePercentage", scope)?;
    if (0.0..=100.0).contains(&percentage) {
        return Ok(Some(percentage));
    }
    Err(EvaluationError::runtime("ToleratedFailurePercentage must be between 0 and 100."))
}

/// `ItemBatcher`, filled in.
pub(in crate::interpreter) fn batching(batcher: &ItemBatcher, scope: Scope<'_>) -> Result<Batching, EvaluationError> {
    let size = |setting: Option<&Setting>, field: &str| {
        let Some(setting) = setting else { return Ok(None) };
        let size = settings::integer(setting, field, scope)?;
        u64::try_from(size).map(Some).map_err(|_| EvaluationError::runtime(format!("{field} cannot be negative.")))
    };
    Ok(Batching {
        max_items: size(batcher.max_items.as_ref(), "MaxItemsPerBatch")?,
        max_input_bytes: size(batcher.max_input_bytes.as_ref(), "MaxInputBytesPerBatch")?,
        batch_input: batcher.batch_input.as_ref().map(|input| input.evaluate(scope)).transpose()?,
    })
}

/// Bucket and prefix of the results, if they go to S3.
fn place(writer: &ResultWriter, scope: Scope<'_>) -> Result<Option<(String, String)>, EvaluationError> {
    if writer.resource.is_none() {
        return Ok(None);
    }
    let arguments = filled(writer.arguments.as_ref(), scope)?;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let bucket = text("Bucket").ok_or_else(|| EvaluationError::runtime("The field 'Bucket' is required for ResultWriter."))?;
    Ok(Some((bucket, text("Prefix").unwrap_or_default())))
}

fn filled(template: Option<&Template>, scope: Scope<'_>) -> Result<Value, EvaluationError> {
    template.map_or(Ok(Value::Null), |template| template.evaluate(scope))
}

/// Refuses more children, and larger ones all together, than memory should hold.
fn check_amount(inputs: &[(Payload, u64)]) -> Result<(), DatasetError> {
    if inputs.len() > MOST_CHILDREN {
        let advice = format!("the Map Run has {} children, more than the {MOST_CHILDREN} that are run here; set MaxItems", inputs.len());
        return Err(DatasetError::Unavailable(advice));
    }
    if inputs.iter().map(|(input, _)| input.bytes()).sum::<usize>() > MOST_INPUT_BYTES {
        let advice = format!("the inputs of the children have more than {MOST_INPUT_BYTES} bytes, which is the limit here; set MaxItems");
        return Err(DatasetError::Unavailable(advice));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Value;

    #[test]
    fn a_map_run_has_as_many_children_as_memory_holds() {
        let children = |count: usize, bytes: usize| {
            let input = Payload::from(Value::from("x".repeat(bytes)));
            check_amount(&vec![(input, 1); count]).map_err(|error| error.to_string())
        };
        assert_eq!((children(MOST_CHILDREN, 1), children(4_000, 250_000)), (Ok(()), Ok(())));
        assert!(children(MOST_CHILDREN + 1, 1).is_err_and(|advice| advice.contains("set MaxItems")));
        assert!(children(4_300, 250_000).is_err_and(|advice| advice.contains("1073741824 bytes")));
    }
}
