//! One state, with its defaults filled in.

use std::rc::Rc;

use super::fields::Fields;
use super::map::arguments;
use super::resource::resource_of;
use super::{CompileError, Compiler, Place, Targets, query_language};
use crate::asl::machine::{Catcher, Kind, QueryLanguage, ResultPath, Retrier, State, Task, Transition, Wait};
use crate::expr::Value;

impl Compiler {
    pub(super) fn state(&mut self, name: &Rc<str>, fields: &Fields<'_>, place: &mut Place<'_>) -> Result<State, CompileError> {
        // What a state does not say the machine says, whatever stands between them.
        let language = query_language(fields)?.unwrap_or(self.language);
        let (jsonpath, jsonata) = (language == QueryLanguage::JsonPath, language == QueryLanguage::Jsonata);
        let kind = self.kind(fields, language, place)?;
        let path_fields = jsonpath.then_some(fields);
        let is_map = matches!(kind, Kind::Map(_));
        Ok(State {
            name: Rc::clone(name),
            block: place.block,
            language,
            next: self.transition(fields, &kind, place)?,
            input_path: path_fields.map(|fields| fields.selection("InputPath")).transpose()?.flatten(),
            output_path: path_fields.map(|fields| fields.selection("OutputPath")).transpose()?.flatten(),
            // The `Parameters` of a Map are those of its items.
            arguments: if is_map { None } else { arguments(fields, "", language)? },
            result_selector: path_fields.map(|fields| fields.template("ResultSelector", language)).transpose()?.flatten(),
            result_path: if jsonpath { fields.result_path()? } else { ResultPath::Replace },
            output: if jsonata { fields.template("Output", language)? } else { None },
            assign: fields.template("Assign", language)?,
            retry: fields.objects("Retry")?.iter().map(retrier).collect(),
            catch: self.catchers(fields, language, place)?,
            kind,
        })
    }

    fn kind(&mut self, fields: &Fields<'_>, language: QueryLanguage, place: &mut Place<'_>) -> Result<Kind, CompileError> {
        match &**fields.wanted_text("Type")? {
            "Pass" => Ok(Kind::Pass { result: if language == QueryLanguage::JsonPath { fields.get("Result").cloned() } else { None } }),
            "Task" => task(fields, language),
            "Choice" => self.choice(fields, language, place),
            "Wait" => wait(fields, language).map(Kind::Wait),
            "Succeed" => Ok(Kind::Succeed),
            "Fail" => Ok(Kind::Fail { error: fields.setting("Error", language)?, cause: fields.setting("Cause", language)? }),
            "Parallel" => {
                if fields.get("Branches").is_none() {
                    return Err(fields.error("Branches is missing"));
                }
                let branches = fields.objects("Branches")?;
                let branches = branches.iter().map(|branch| self.block(branch, Some(place.number))).collect::<Result<_, _>>()?;
                Ok(Kind::Parallel { branches })
            }
            "Map" => self.map(fields, language, place),
            other => Err(fields.error_in("Type", format!("there is no type of state '{other}'"))),
        }
    }

    fn transition(&mut self, fields: &Fields<'_>, kind: &Kind, place: &mut Place<'_>) -> Result<Transition, CompileError> {
        if matches!(kind, Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. }) {
            return Ok(Transition::End);
        }
        match self.target(fields, "Next", place.names, place.block)? {
            Some(next) => Ok(Transition::Next(next)),
            None if fields.flag("End") || self.targets == Targets::AreAdded => Ok(Transition::End),
            None => Err(fields.error("the state has neither Next nor \"End\": true")),
        }
    }

    fn catchers(&mut self, fields: &Fields<'_>, language: QueryLanguage, place: &mut Place<'_>) -> Result<Vec<Catcher>, CompileError> {
        let jsonpath = language == QueryLanguage::JsonPath;
        let mut catchers = Vec::new();
        for (position, catcher) in fields.objects("Catch")?.into_iter().enumerate() {
            let part = format!("Catch[{position}]/");
            let next = self.target(&catcher, "Next", place.names, place.block)?;
            catchers.push(Catcher {
                error_equals: catcher.texts("ErrorEquals"),
                next: next.ok_or_else(|| catcher.error("Next is missing: where does this catcher lead?"))?,
                result_path: if jsonpath { catcher.result_path()? } else { ResultPath::Replace },
                assign: catcher.template_in(&part, "Assign", language)?,
                output: if jsonpath { None } else { catcher.template_in(&part, "Output", language)? },
            });
        }
        Ok(catchers)
    }
}

fn task(fields: &Fields<'_>, language: QueryLanguage) -> Result<Kind, CompileError> {
    Ok(Kind::Task(Box::new(Task {
        resource: resource_of(fields)?,
        timeout: fields.setting("TimeoutSeconds", language)?,
        heartbeat: fields.setting("HeartbeatSeconds", language)?,
        credentials: fields.template("Credentials", language)?,
    })))
}

fn wait(fields: &Fields<'_>, language: QueryLanguage) -> Result<Wait, CompileError> {
    if let Some(seconds) = fields.setting("Seconds", language)? {
        return Ok(Wait::Seconds(seconds));
    }
    let timestamp = fields.setting("Timestamp", language)?;
    timestamp.map(Wait::Timestamp).ok_or_else(|| fields.error("neither Seconds nor Timestamp says until when to wait"))
}

fn retrier(fields: &Fields<'_>) -> Retrier {
    Retrier {
        error_equals: fields.texts("ErrorEquals"),
        interval_seconds: fields.number("IntervalSeconds").unwrap_or(1),
        max_attempts: fields.number("MaxAttempts").unwrap_or(3),
        backoff_rate: fields.double("BackoffRate").unwrap_or(2.0),
        max_delay_seconds: fields.number("MaxDelaySeconds"),
        full_jitter: fields.get("JitterStrategy").and_then(Value::as_str) == Some("FULL"),
    }
}
