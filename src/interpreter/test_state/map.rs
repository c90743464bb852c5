//! A Map under test: its items and its limits, and whether too many iterations failed.

use super::context::Sight;
use super::mock::Mocked;
use super::refusal::Refusal;
use super::states::{Left, Stop, Test};
use crate::asl::machine::{ItemReader, Map};
use crate::expr::{EvaluationError, Scope, Surroundings, Value};
use crate::interpreter::context::{MapItem, map_item};
use crate::interpreter::dataset::{self, DatasetError, Item, Limits, Tolerance};
use crate::interpreter::distributed::{batching, tolerated_count, tolerated_percentage};
use crate::interpreter::failure::Failure;
use crate::interpreter::payload::{LARGEST, Payload};
use crate::interpreter::{ObjectError, TaskAnswer, TaskRequest, Unanswered, World, composite, settings};

impl From<DatasetError> for Stop {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Failed { error, cause } => Self::Failed(Failure::new(&*error, cause)),
            DatasetError::Unavailable(why) => Self::Refused(Refusal::OutOfReach(why)),
        }
    }
}

impl Test<'_> {
    pub(super) fn map(&mut self, map: &Map, input: &Payload) -> Result<Left, Stop> {
        let effective = if self.uses_json_path() { self.effective_input(input)? } else { input.clone() };
        let items = self.items(map, &effective)?;
        let iterations = items.as_ref().map_or_else(|| self.mocked_length(), |items| Some(items.len() as u64));
        if let Some(items) = items {
            self.inputs(map, items, &effective)?;
        }
        let tolerance = self.limits(map, &effective)?;
        let failures = self.request.configuration.map_iteration_failure_count.unwrap_or(0);
        if iterations.is_some_and(|iterations| failures > iterations) {
            let words = "Map iteration failure count must be less than or equal to the number of Map iterations";
            return Err(Stop::Refused(Refusal::validation(words)));
        }
        let result = self.mocked_result()?;
        // Without a limit the mocked result stands, whatever failed.
        if tolerance != Tolerance::default() && tolerance.is_exceeded(failures, iterations.unwrap_or(0)) {
            return Err(Tolerance::error().into());
        }
        self.with_result(input, &result)
    }

    fn mocked_length(&self) -> Option<u64> {
        match &self.mocked {
            Some(Mocked::Result(result)) => result.value().as_array().map(|items| items.len() as u64),
            _ => None,
        }
    }

    /// The items, where they are known: those that a reader reads are when the request holds its data.
    fn items(&mut self, map: &Map, effective: &Payload) -> Result<Option<Vec<Item>>, Stop> {
        if let Some(reader) = map.distributed.as_ref().and_then(|distributed| distributed.reader.as_ref()) {
            return self.read_items(reader, effective);
        }
        let state = self.state();
        let items = effective.same_or_new(composite::map_items(state, map, self.scope(effective.value()))?);
        let usable = items.value().as_array().is_some() || map.distributed.is_some();
        let Some(found) = dataset::items_of(items.value()).filter(|_| usable) else {
            return Err(composite::no_items(state, map, items.value()).into());
        };
        if self.uses_json_path() {
            self.seen.after_items_path = self.shown(&items);
        }
        Ok(Some(found))
    }

    /// The items in the data of the request, which stand for the object that the reader names.
    fn read_items(&mut self, reader: &ItemReader, effective: &Payload) -> Result<Option<Vec<Item>>, Stop> {
        let scope = self.scope(effective.value());
        let mut arguments = reader.arguments.as_ref().map_or(Ok(Value::Null), |arguments| arguments.evaluate(scope))?;
        let max_items = reader.max_items.as_ref().map(|setting| settings::integer(setting, "MaxItems", scope)).transpose()?;
        let Some(data) = &self.request.configuration.map_item_reader_data else { return Ok(None) };
        let mut resource = &*reader.resource;
        if resource.ends_with(":s3:listObjectsV2") {
            // The data is the list itself, and is read as an object that holds it.
            resource = "arn:aws:states:::s3:getObject";
            arguments = Value::Null;
        }
        if arguments.get("Bucket").and_then(Value::as_str).is_none() || arguments.get("Key").and_then(Value::as_str).is_none() {
            arguments = Value::object([("Bucket", Value::from("bucket")), ("Key", Value::from("key"))]);
        }
        let config = if reader.config.get("InputType").is_some() {
            reader.config.clone()
        } else {
            Value::object([("InputType", Value::from("JSON"))])
        };
        let asked = dataset::Request { resource, arguments: &arguments, config: &config, max_items, limits: Limits::default() };
        let items = match dataset::read(&mut Data(data), &asked) {
            Ok(items) => items,
            Err(DatasetError::Unavailable(why)) => {
                self.notes.push(format!("mapItemReaderData is passed over: {why}"));
                return Ok(None);
            }
            Err(failed) => return Err(failed.into()),
        };
        if config.get("ItemsPointer").is_some() {
            self.seen.after_items_pointer = Some(Value::array(items.iter().map(Item::input)).to_json());
        }
        Ok(Some(items))
    }

    /// What the iterations get: after `ItemSelector`, then after `ItemBatcher`. Shown only as far as a payload may be large.
    fn inputs(&mut self, map: &Map, items: Vec<Item>, effective: &Payload) -> Result<(), Stop> {
        let batcher = map.distributed.as_ref().and_then(|distributed| distributed.batcher.as_ref());
        if map.item_selector.is_none() && batcher.is_none() {
            return Ok(());
        }
        let (mut inputs, mut bytes) = (Vec::new(), 0);
        for (item, index) in items.into_iter().zip(0..) {
            let input = match &map.item_selector {
                Some(selector) => {
                    let source = map.distributed.as_ref().map(|_| item.source);
                    let around = ItemSight { sight: self.sight, item: MapItem { index, value: item.value, key: item.key, source } };
                    selector.evaluate(Scope { around: &around, ..self.scope(effective.value()) })?
                }
                None => item.input(),
            };
            let input = Payload::from(input);
            bytes += input.bytes();
            if bytes > LARGEST {
                self.too_large_to_show();
                return Ok(());
            }
            inputs.push(input);
        }
        if map.item_selector.is_some() {
            self.seen.after_item_selector = Some(Payload::join(&inputs).text().to_owned());
        }
        if let Some(batcher) = batcher {
            let batching = batching(batcher, self.scope(effective.value()))?;
            let batches = dataset::batches(inputs.iter().map(|input| input.value().clone()), &batching);
            // Every batch repeats the batch input.
            let repeated = batching.batch_input.map_or(0, |input| Payload::from(input).bytes());
            if repeated.saturating_mul(batches.len()).saturating_add(bytes) > LARGEST {
                self.too_large_to_show();
                return Ok(());
            }
            self.seen.after_item_batcher = Some(Value::array(batches.into_iter().map(|(batch, _)| batch)).to_json());
        }
        Ok(())
    }

    fn too_large_to_show(&mut self) {
        self.notes.push("the inputs of the iterations are too large to be shown".to_owned());
    }

    fn limits(&mut self, map: &Map, effective: &Payload) -> Result<Tolerance, Stop> {
        let scope = self.scope(effective.value());
        let at_once = map.max_concurrency.as_ref().map(|setting| settings::integer(setting, "MaxConcurrency", scope)).transpose()?;
        let negative = |_| EvaluationError::runtime("MaxConcurrency cannot be negative.");
        let at_once = u64::try_from(at_once.unwrap_or(0)).map_err(negative)?;
        let mut tolerance = Tolerance::default();
        if let Some(distributed) = &map.distributed {
            tolerance.count = tolerated_count(distributed.tolerated_failure_count.as_ref(), scope)?;
            tolerance.percentage = tolerated_percentage(distributed.tolerated_failure_percentage.as_ref(), scope)?;
        }
        self.seen.max_concurrency = Some(at_once);
        self.seen.tolerated_failure_count = tolerance.count;
        self.seen.tolerated_failure_percentage = tolerance.percentage;
        Ok(tolerance)
    }
}

/// A world that holds nothing but the data of an item reader, under any name.
struct Data<'a>(&'a str);

impl World for Data<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let advice = "no Task runs while items are read".to_owned();
        Err(Unanswered { state: request.attempted.state.to_owned(), attempt: request.attempted.attempt, advice })
    }

    fn read_object(&mut self, _bucket: &str, _key: &str) -> Result<Vec<u8>, ObjectError> {
        Ok(self.0.as_bytes().to_vec())
    }
}

/// What an `ItemSelector` sees.
struct ItemSight<'a> {
    sight: &'a Sight,
    item: MapItem,
}

impl Surroundings for ItemSight<'_> {
    fn context(&self) -> Value {
        let mut context = self.sight.context.as_object().cloned().unwrap_or_default();
        context.insert("Map", Value::object([("Item", map_item(&self.item))]));
        Value::from(context)
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.sight.variable(name)
    }

    fn random(&self) -> f64 {
        self.sight.random()
    }

    fn uuid(&self) -> String {
        self.sight.uuid()
    }

    fn now(&self) -> i64 {
        self.sight.now()
    }
}
