//! Makes up definitions from a seed: blocks within blocks, with every kind of state, and loops that end with the history.

use fastrand::Rng;
use serde_json::{Map, Value, json};

const ERRORS: [&str; 3] = ["Busy", "Gone", "States.TaskFailed"];
const DEEPEST: usize = 3;

/// A definition; the same seed gives the same.
pub fn definition(seed: u64) -> String {
    let mut maker = Maker { random: Rng::with_seed(seed), names: 0 };
    maker.block(0).to_string()
}

struct Maker {
    random: Rng,
    names: usize,
}

impl Maker {
    fn block(&mut self, depth: usize) -> Value {
        let names: Vec<String> = (0..self.random.usize(1..=4))
            .map(|_| {
                self.names += 1;
                format!("S{}", self.names)
            })
            .collect();
        let mut states = Map::new();
        for (position, name) in names.iter().enumerate() {
            states.insert(name.clone(), self.state(&names, position, depth));
        }
        json!({"StartAt": names[0], "States": states})
    }

    fn state(&mut self, names: &[String], position: usize, depth: usize) -> Value {
        let composites = usize::from(depth < DEEPEST) * 2;
        let mut state = match self.random.usize(0..8 + composites) {
            0 => json!({"Type": "Pass", "Result": {"at": position}, "ResultPath": "$.passed"}),
            1 => json!({"Type": "Pass", "Assign": {"v1": position}}),
            2 | 3 => self.task(),
            4 => json!({"Type": "Wait", "Seconds": self.random.u32(0..5)}),
            5 => return self.choice(names),
            6 if self.random.u8(..) < 128 => return json!({"Type": "Succeed"}),
            7 if self.random.u8(..) < 64 => return json!({"Type": "Fail", "Error": "Gone", "Cause": "told to"}),
            6 | 7 => json!({"Type": "Pass"}),
            8 => {
                let branches: Vec<Value> = (0..self.random.usize(1..=3)).map(|_| self.block(depth + 1)).collect();
                json!({"Type": "Parallel", "Branches": branches, "ResultPath": "$.parallel"})
            }
            _ => {
                let concurrency = self.random.u32(0..3);
                let processor = self.block(depth + 1);
                json!({"Type": "Map", "ItemsPath": "$$.Execution.Input.items", "ItemSelector": {"item.$": "$$.Map.Item.Value"},
                    "MaxConcurrency": concurrency, "ItemProcessor": processor, "ResultPath": null})
            }
        };
        self.handle(&mut state, names);
        match names.get(position + 1) {
            Some(next) => state["Next"] = json!(next),
            None => state["End"] = json!(true),
        }
        state
    }

    fn task(&mut self) -> Value {
        let resource = ["lambda:invoke", "sqs:sendMessage.waitForTaskToken", "ecs:runTask.sync"][self.random.usize(0..3)];
        let mut task = json!({"Type": "Task", "Resource": format!("arn:aws:states:::{resource}"), "ResultPath": "$.result"});
        if self.random.bool() {
            task["TimeoutSeconds"] = json!(self.random.u32(1..4));
        }
        task
    }

    fn handle(&mut self, state: &mut Value, names: &[String]) {
        if !matches!(state["Type"].as_str(), Some("Task" | "Parallel" | "Map")) {
            return;
        }
        if self.random.bool() {
            state["Retry"] = json!([{"ErrorEquals": [self.error()], "MaxAttempts": self.random.u32(0..3), "JitterStrategy": "FULL"}]);
        }
        if self.random.bool() {
            state["Catch"] = json!([{"ErrorEquals": [self.error()], "Next": self.one_of(names), "ResultPath": "$.caught"}]);
        }
    }

    fn choice(&mut self, names: &[String]) -> Value {
        json!({"Type": "Choice", "Default": self.one_of(names),
            "Choices": [{"Variable": "$.result.number", "IsPresent": true, "Next": self.one_of(names)}]})
    }

    fn error(&mut self) -> &'static str {
        ERRORS[self.random.usize(0..ERRORS.len())]
    }

    fn one_of(&mut self, names: &[String]) -> String {
        names[self.random.usize(0..names.len())].clone()
    }
}
