//! A Map under test: its items and its limits, and whether too many iterations failed.

use super::context::Sight;
use super::mock::Mocked;
use super::refusal::Refusal;
use super::states::{Left, Stop, Test};
use crate::asl::machine::{ItemReader, Map};
use crate::expr::{EvaluationError, Object, Scope, Surroundings, Value};
use crate::interpreter::composite;
use crate::interpreter::failure::Failure;
use crate::interpreter::payload::{LARGEST, Payload};
use crate::interpreter::settings;

/// How many failed iterations a Map bears.
#[derive(Debug, Clone, Copy, Default)]
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
}

impl Tolerance {
    /// Whether so many failures are too many. A Map that sets no limit has none under test: its mocked result stands for what its
    /// iterations gave.
    fn is_exceeded(self, failures: u64, iterations: usize) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let share = if iterations == 0 { 0.0 } else { failures as f64 * 100.0 / iterations as f64 };
        self.count.is_some_and(|count| failures > count) || self.percentage.is_some_and(|percentage| share > percentage)
    }
}

impl Test<'_> {
    pub(super) fn map(&mut self, map: &Map, input: &Payload) -> Result<Left, Stop> {
        let effective = if self.uses_json_path() { self.effective_input(input)? } else { input.clone() };
        let items = self.items(map, &effective)?;
        if let Some(items) = &items {
            self.inputs(map, items, &effective)?;
        }
        let tolerance = self.limits(map, &effective)?;
        let iterations = items.map_or_else(|| self.mocked_length(), |items| Some(items.len()));
        let failures = self.request.configuration.map_iteration_failure_count.unwrap_or(0);
        if iterations.is_some_and(|iterations| failures > iterations as u64) {
            let words = "Map iteration failure count must be less than or equal to the number of Map iterations";
            return Err(Stop::Refused(Refusal::validation(words)));
        }
        let result = self.mocked_result()?;
        if tolerance.is_exceeded(failures, iterations.unwrap_or(0)) {
            let cause = "The specified tolerated failure threshold was exceeded";
            return Err(Stop::Failed(Failure::new("States.ExceedToleratedFailureThreshold", cause)));
        }
        self.with_result(input, &result)
    }

    fn mocked_length(&self) -> Option<usize> {
        match &self.mocked {
            Some(Mocked::Result(result)) => result.value().as_array().map(<[Value]>::len),
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
        let of_object = map.distributed.as_ref().and_then(|_| items.value().as_object()).map(Item::of_object);
        let Some(found) = of_object.or_else(|| items.value().as_array().map(Item::of_array)) else {
            return Err(composite::no_items(state, map, items.value()).into());
        };
        if self.uses_json_path() {
            self.seen.after_items_path = Some(items.text().to_owned());
        }
        Ok(Some(found))
    }

    /// The items in the data of the request, as far as that can be told without reading files of other forms than JSON.
    fn read_items(&mut self, reader: &ItemReader, effective: &Payload) -> Result<Option<Vec<Item>>, Stop> {
        if let Some(arguments) = &reader.arguments {
            arguments.evaluate(self.scope(effective.value()))?;
        }
        let Some(data) = &self.request.configuration.map_item_reader_data else { return Ok(None) };
        if reader.config.get("InputType").and_then(Value::as_str).is_some_and(|form| form != "JSON") {
            return Ok(None);
        }
        let mut items = Payload::parse(data)
            .map_err(|error| Stop::Refused(Refusal::Validation(format!("Map item reader data must be valid JSON: {error}"))))?;
        if let Some(pointer) = reader.config.get("ItemsPointer").and_then(Value::as_str) {
            let Some(found) = follow(items.value(), pointer) else {
                return Err(Stop::Failed(Failure::new(
                    "States.ItemReaderFailed",
                    format!("The ItemsPointer '{pointer}' leads to nothing in the data of the item reader"),
                )));
            };
            items = found.clone().into();
            self.seen.after_items_pointer = Some(items.text().to_owned());
        }
        Ok(match items.value() {
            Value::Array(array) => Some(Item::of_array(array)),
            Value::Object(object) => Some(Item::of_object(object)),
            _ => None,
        })
    }

    /// What the iterations get: after `ItemSelector`, then after `ItemBatcher`. Shown only as far as a payload may be large.
    fn inputs(&mut self, map: &Map, items: &[Item], effective: &Payload) -> Result<(), Stop> {
        let batcher = map.distributed.as_ref().and_then(|distributed| distributed.batcher.as_ref());
        let mut inputs = Vec::new();
        let mut bytes = 0;
        for (index, item) in items.iter().enumerate() {
            let input = match &map.item_selector {
                Some(selector) => {
                    let around = ItemSight { sight: self.sight, context: item.context(self.sight, index) };
                    selector.evaluate(Scope { around: &around, ..self.scope(effective.value()) })?
                }
                None if batcher.is_some() => item.value.clone(),
                None => return Ok(()),
            };
            let input = Payload::from(input);
            bytes += input.bytes();
            if bytes > LARGEST {
                self.notes.push("the inputs of the iterations are too large to be shown".to_owned());
                return Ok(());
            }
            inputs.push(input);
        }
        if map.item_selector.is_some() {
            self.seen.after_item_selector = Some(Payload::join(&inputs).text().to_owned());
        }
        let Some(batcher) = batcher else { return Ok(()) };
        let scope = self.scope(effective.value());
        let limit = |setting: &Option<_>, field| setting.as_ref().map(|setting| settings::integer(setting, field, scope)).transpose();
        let most_items = limit(&batcher.max_items, "MaxItemsPerBatch")?.and_then(|most| usize::try_from(most).ok());
        let most_bytes = limit(&batcher.max_input_bytes, "MaxInputBytesPerBatch")?.and_then(|most| usize::try_from(most).ok());
        let batch_input = batcher.batch_input.as_ref().map(|template| template.evaluate(scope)).transpose()?;
        let batches = batches(&inputs, batch_input.as_ref(), most_items.unwrap_or(usize::MAX), most_bytes.unwrap_or(LARGEST));
        self.seen.after_item_batcher = Some(Payload::join(&batches).text().to_owned());
        Ok(())
    }

    fn limits(&mut self, map: &Map, effective: &Payload) -> Result<Tolerance, Stop> {
        let scope = self.scope(effective.value());
        let count = |setting: &Option<_>, field| -> Result<Option<u64>, Stop> {
            let Some(setting) = setting else { return Ok(None) };
            let number = settings::integer(setting, field, scope)?;
            let negative = |_| EvaluationError::runtime(format!("{field} cannot be negative."));
            Ok(Some(u64::try_from(number).map_err(negative)?))
        };
        let most_at_once = count(&map.max_concurrency, "MaxConcurrency")?.unwrap_or(0);
        let mut tolerance = Tolerance::default();
        if let Some(distributed) = &map.distributed {
            tolerance.count = count(&distributed.tolerated_failure_count, "ToleratedFailureCount")?;
            if let Some(setting) = &distributed.tolerated_failure_percentage {
                let percentage = settings::number(setting, "ToleratedFailurePercentage", scope)?;
                if !(0.0..=100.0).contains(&percentage) {
                    return Err(EvaluationError::runtime("ToleratedFailurePercentage must be between 0 and 100.").into());
                }
                tolerance.percentage = Some(percentage);
            }
        }
        self.seen.max_concurrency = Some(most_at_once);
        self.seen.tolerated_failure_count = tolerance.count;
        self.seen.tolerated_failure_percentage = tolerance.percentage;
        Ok(tolerance)
    }
}

/// The value to which a JSON pointer (RFC 6901) leads.
fn follow<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(value, |value, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(&step),
        }
    })
}

/// Items put together, as the service does: until one more would be too many or make the input too large.
fn batches(inputs: &[Payload], batch_input: Option<&Value>, most_items: usize, most_bytes: usize) -> Vec<Payload> {
    let mut batches: Vec<Vec<Value>> = Vec::new();
    let mut bytes = 0;
    for input in inputs {
        let full = |batch: &Vec<Value>| batch.len() >= most_items.max(1) || bytes + input.bytes() + 1 > most_bytes;
        if batches.last().is_none_or(full) {
            batches.push(Vec::new());
            bytes = r#"{"Items":[]}"#.len() + batch_input.map_or(0, |value| value.to_json().len() + r#""BatchInput":,"#.len());
        }
        bytes += input.bytes() + 1;
        batches.last_mut().expect("pushed above").push(input.value().clone());
    }
    let batch = |items: Vec<Value>| {
        let mut object = Object::with_capacity(2);
        if let Some(value) = batch_input {
            object.insert("BatchInput", value.clone());
        }
        object.insert("Items", items);
        Payload::from(Value::from(object))
    };
    batches.into_iter().map(batch).collect()
}

/// One item, with its name where the items are the members of an object.
struct Item {
    key: Option<std::rc::Rc<str>>,
    value: Value,
}

impl Item {
    fn of_array(items: &[Value]) -> Vec<Self> {
        items.iter().map(|value| Self { key: None, value: value.clone() }).collect()
    }

    /// An iteration over an object gets name and value of each member.
    fn of_object(object: &Object) -> Vec<Self> {
        let item = |(name, value): (&std::rc::Rc<str>, &Value)| Self {
            key: Some(name.clone()),
            value: Value::object([("Key", Value::String(name.clone())), ("Value", value.clone())]),
        };
        object.iter().map(item).collect()
    }

    /// The context object with `Map.Item`.
    fn context(&self, sight: &Sight, index: usize) -> Value {
        let mut item = Object::with_capacity(3);
        item.insert("Index", i64::try_from(index).unwrap_or(i64::MAX));
        let value = match &self.key {
            Some(key) => {
                item.insert("Key", Value::String(key.clone()));
                self.value.get("Value").unwrap_or(&self.value)
            }
            None => &self.value,
        };
        item.insert("Value", value.clone());
        let mut context = sight.context.as_object().cloned().unwrap_or_default();
        context.insert("Map", Value::object([("Item", Value::from(item))]));
        Value::from(context)
    }
}

/// What an `ItemSelector` sees.
struct ItemSight<'a> {
    sight: &'a Sight,
    context: Value,
}

impl Surroundings for ItemSight<'_> {
    fn context(&self) -> Value {
        self.context.clone()
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
