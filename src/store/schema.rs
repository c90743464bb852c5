//! The tables and their columns, described once: the writer, the reader and `docs/tables.md` follow this list.

/// What a column holds, and how Parquet and other engines see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text with few different values, stored with a dictionary.
    Word,
    /// Text.
    Text,
    /// A whole number, 64 bits with sign.
    Integer,
    /// Milliseconds with a fraction, double precision.
    Milliseconds,
    /// A moment in UTC, in microseconds: the service counts milliseconds, the AWS CLI prints six digits, and nothing is lost.
    Moment,
    /// True or false.
    Flag,
}

/// When a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// By most questions.
    Light,
    /// Large, and read only by those who ask for it.
    Heavy,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in every engine.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has a value.
    pub required: bool,
    /// Whether a scan should leave it alone.
    pub weight: Weight,
    /// One sentence for `docs/tables.md`, in Markdown.
    pub meaning: &'static str,
}

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name, and its folder in the store.
    pub name: &'static str,
    /// One sentence for `docs/tables.md`.
    pub meaning: &'static str,
    /// In their order in the files; the partition column `day` is not among them.
    pub columns: &'static [Column],
}

const fn always(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, required: true, weight: Weight::Light, meaning }
}

const fn maybe(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, required: false, weight: Weight::Light, meaning }
}

const fn heavy(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, required: false, weight: Weight::Heavy, meaning }
}

use Kind::{Flag, Integer, Milliseconds, Moment, Text, Word};

/// The version of the tables. Columns are added, never renamed; a store of a later version is refused.
pub const VERSION: u32 = 1;

/// The entry of a file's metadata that names its table,
pub const TABLE_KEY: &str = "stepscope.table";

/// the one with the version of its tables,
pub const VERSION_KEY: &str = "stepscope.version";

/// and the one with the length and the CRC-32 of everything that stands before the footer: `12345 89abcdef`.
pub const SUM_KEY: &str = "stepscope.sum";

/// The partition column: the day on which the execution started, UTC, as Hive writes it.
pub const DAY: &str = "day";

/// All tables.
pub const TABLES: [&Table; 4] = [&EXECUTIONS, &VISITS, &ATTEMPTS, &EVENTS];

/// One row for each execution.
pub const EXECUTIONS: Table = Table {
    name: "executions",
    meaning: "One row for each execution, in the most complete form that was read.",
    columns: &[
        always("execution", Text, "ARN; for a bare history `unnamed-` and a hash of what it began with"),
        always("name", Text, "Name of the execution; empty for a bare history"),
        maybe("state_machine", Word, "ARN of the state machine, without version and alias"),
        maybe("machine", Word, "Name of the state machine"),
        maybe("region", Word, "AWS region of the execution"),
        maybe("account", Word, "AWS account of the execution"),
        maybe("workflow_type", Word, "`STANDARD` or `EXPRESS`, where it is known"),
        maybe("version", Word, "Version of the state machine, when it was started by version or alias"),
        maybe("alias", Word, "Alias, when it was started by alias"),
        maybe("status", Word, "`RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, `PENDING_REDRIVE`"),
        maybe("start", Moment, "When it started"),
        maybe("stop", Moment, "When it ended; null while it runs"),
        maybe("duration_ms", Milliseconds, "From `start` to `stop`"),
        always("redrive_count", Integer, "How often it was redriven"),
        maybe("map_run", Word, "ARN of the Map Run whose child it is"),
        maybe("parent", Text, "ARN of the execution that started it, where its input says so"),
        always("events", Integer, "How many events were read: its rows in `events`"),
        maybe("last_event", Moment, "The last moment that the history tells of"),
        maybe("billed_duration_ms", Integer, "What the service billed of an Express execution, where the source says so"),
        maybe("billed_memory_mb", Integer, "What the service billed of an Express execution, where the source says so"),
        always("visits", Integer, "How many visits of states it has: its rows in `visits`"),
        always("attempts", Integer, "How many attempts it has: its rows in `attempts`"),
        always("retries", Integer, "Attempts beyond the first, over all visits"),
        always("failed_attempts", Integer, "Attempts that failed or ran out of time"),
        always("transitions", Integer, "State transitions: states entered, retries, and steps that a redrive ran again"),
        maybe("terminal_state", Word, "For a failed execution, the innermost state at which it ended"),
        maybe("error", Word, "The error with which it ended"),
        heavy("cause", Text, "The cause with which it ended"),
        maybe("root_state", Word, "The state whose failure started it, by the rule of `why`"),
        maybe("root_scope", Text, "Enclosing iterations and branches of that state, outermost first, joined by `/`; empty for none"),
        maybe("root_error", Word, "That failure's error"),
        heavy("root_cause", Text, "That failure's cause"),
        maybe("root_kind", Word, "`task_failed`, `runtime`, … as `why` names it"),
        maybe("root_basis", Word, "What the naming of the state rests on: `task_chain`, `cause_text`, …"),
        maybe("root_confidence", Word, "`certain`, `likely` or `guess`"),
        maybe("root_event_id", Integer, "The event that records the root failure"),
        maybe("root_time", Moment, "When that was"),
        maybe("root_resource", Word, "What the failed task called"),
        maybe("failed_child", Text, "ARN of the child execution that failed in `root_state`; its own row has the root cause"),
        maybe("fingerprint", Word, "The failure group's id, by version and hash: executions that failed alike have the same"),
        maybe("gaps", Word, "What is known to be missing, as a JSON array of short names; null when nothing is"),
        heavy("input", Text, "JSON text"),
        heavy("output", Text, "JSON text"),
        heavy("definition", Word, "The state machine's definition, JSON text"),
        maybe("source", Word, "Where it was read: a path, an ARN, `standard input`"),
        maybe("source_part", Text, "Which line or entry of the source, where that holds several executions"),
        maybe("definition_source", Word, "Where its definition was found, where that stood apart"),
        heavy(
            "rest",
            Text,
            "What no other column holds, as JSON: members of the description that the program does not know, gaps in full, what the description left out",
        ),
    ],
};

/// One row for each visit of a state.
pub const VISITS: Table = Table {
    name: "visits",
    meaning: "One row for each visit: one entry into a state, to its exit.",
    columns: &[
        always("execution", Word, "As in `executions`"),
        maybe("state_machine", Word, "As in `executions`"),
        maybe("machine", Word, "As in `executions`"),
        always("visit", Integer, "Number of the visit in its execution, from 0, in the order of entering"),
        maybe("parent_visit", Integer, "The Parallel or Map visit around it"),
        maybe("index", Integer, "Which branch or iteration of that one, from 0"),
        maybe("parent_attempt", Integer, "Which attempt of that one it belongs to, from 1"),
        always("state", Word, "Name of the state; empty when the history does not tell it"),
        maybe("state_type", Word, "`Task`, `Choice`, `Wait`, `Pass`, `Parallel`, `Map`, `Succeed`, `Fail`"),
        always("scope", Word, "Enclosing iterations and branches, outermost first, joined by `/`: `Fulfil[2]/Pack[0]`; empty for none"),
        always("redrive", Integer, "After how many redrives it was entered"),
        always("outcome", Word, "`succeeded`, `caught`, `failed`, `aborted`, `open`"),
        maybe("entered_event_id", Integer, "Its `…StateEntered` event"),
        maybe("exited_event_id", Integer, "Its `…StateExited` event"),
        maybe("entered", Moment, "When it was entered"),
        maybe("exited", Moment, "When it was exited; null for one that failed, was aborted or is open"),
        maybe("last_event", Moment, "When the last event that belongs to it happened"),
        maybe("duration_ms", Milliseconds, "From `entered` to `exited`"),
        always("attempts", Integer, "How many attempts it had; of a Parallel or Map, how often it ran as a whole"),
        always("retries", Integer, "Attempts beyond the first"),
        always("failed_attempts", Integer, "Attempts that failed or ran out of time"),
        always(
            "transitions",
            Integer,
            "What it is charged: 1 for having been entered, 1 for each retry, 1 for each redrive that ran it again",
        ),
        maybe("queue_ms", Milliseconds, "From scheduled to started, over all attempts"),
        maybe(
            "run_ms",
            Milliseconds,
            "From started to the end of each attempt, of a callback until it was submitted; of a Parallel or Map, how long its scopes ran",
        ),
        maybe("retry_wait_ms", Milliseconds, "From each failure to the retry's schedule"),
        maybe(
            "callback_ms",
            Milliseconds,
            "How long somebody else had it: from submitted to answered, of callbacks; from started to the end, of activities",
        ),
        maybe("map_queue_ms", Milliseconds, "For an iteration's first visit: how long the iteration waited for its turn"),
        maybe(
            "critical_ms",
            Milliseconds,
            "How much of the execution's time passed in it and in nothing it encloses, on the critical path",
        ),
        maybe("error", Word, "The error of its last failure"),
        maybe("resource", Word, "What it called: `lambda:invoke`, an ARN"),
        maybe("pattern", Word, "Who answers: `call`, `job`, `child_execution`, `callback`, `activity`, `scopes`"),
        maybe("child", Text, "ARN of the last child execution that it started and waited for"),
        maybe("items", Integer, "Items of a Map"),
        maybe(
            "payload_bytes",
            Integer,
            "Bytes of the largest of its input, parameters, results and output; null in batches of older versions, too",
        ),
    ],
};

/// One row for each attempt.
pub const ATTEMPTS: Table = Table {
    name: "attempts",
    meaning: "One row for each attempt of a Task, and for each run of a Parallel or Map as a whole. Attempt 2 is the first retry.",
    columns: &[
        always("execution", Word, "As in `executions`"),
        maybe("state_machine", Word, "As in `executions`"),
        maybe("machine", Word, "As in `executions`"),
        always("visit", Integer, "Number of its visit, as in `visits`"),
        always("number", Integer, "From 1; a redrive starts again at 1"),
        always("redrive", Integer, "After how many redrives"),
        always("state", Word, "Name of the state"),
        maybe("resource", Word, "What it called: `lambda:invoke`, an ARN"),
        maybe("pattern", Word, "Who answers: `call`, `job`, `child_execution`, `callback`, `activity`, `scopes`"),
        always("outcome", Word, "`succeeded`, `failed`, `timed_out`, `aborted`, `open`"),
        maybe("scheduled_event_id", Integer, "The event that scheduled it; for a Parallel or Map, that started it"),
        maybe("ended_event_id", Integer, "The event that ended it"),
        maybe("scheduled", Moment, "When it was scheduled"),
        maybe("started", Moment, "When it was started"),
        maybe("submitted", Moment, "When the wait for a callback, job or child execution began"),
        maybe("ended", Moment, "When it ended"),
        maybe("duration_ms", Milliseconds, "From `scheduled` to `ended`"),
        maybe("wait_before_ms", Milliseconds, "From the failure before it to its schedule: the observed backoff"),
        maybe("timeout_seconds", Integer, "Its time limit"),
        maybe("heartbeat_seconds", Integer, "Its heartbeat"),
        maybe("error", Word, "Error name, when it failed"),
        heavy("cause", Text, "Cause, when it failed"),
    ],
};

/// One row for each event.
pub const EVENTS: Table = Table {
    name: "events",
    meaning: "One row for each event of a history, with everything that was read of it.",
    columns: &[
        always("execution", Word, "As in `executions`"),
        maybe("state_machine", Word, "As in `executions`"),
        maybe("machine", Word, "As in `executions`"),
        always("id", Integer, "Number of the event in its history"),
        maybe("previous_event_id", Integer, "The event that caused it"),
        maybe("timestamp", Moment, "When it happened"),
        always("type", Word, "`TaskStateEntered`, `LambdaFunctionFailed`, …"),
        maybe("visit", Integer, "The visit that it belongs to, as in `visits`"),
        maybe("state", Word, "Name of that visit's state"),
        maybe("name", Word, "The name that the event itself gives: a state's"),
        maybe("index", Integer, "`index` of an iteration"),
        maybe("length", Integer, "`length` of a Map"),
        maybe("resource_type", Word, "`lambda`, `sns`, …"),
        maybe("resource", Word, "`invoke`, `publish.waitForTaskToken`, an ARN"),
        maybe("region", Word, "Region of the call"),
        maybe("timeout_seconds", Integer, "`timeoutInSeconds`"),
        maybe("heartbeat_seconds", Integer, "`heartbeatInSeconds`"),
        maybe("role_arn", Word, "`roleArn` of the execution or of a task's credentials"),
        maybe("worker_name", Word, "`workerName` of an Activity's worker"),
        maybe("alias_arn", Word, "`stateMachineAliasArn`"),
        maybe("version_arn", Word, "`stateMachineVersionArn`"),
        maybe("map_run", Word, "`mapRunArn`"),
        maybe("redrive_count", Integer, "`redriveCount`"),
        maybe("location", Word, "Where in a state an expression could not be evaluated"),
        maybe("error", Word, "Error name"),
        heavy("cause", Text, "Cause"),
        heavy("input", Text, "Input of an execution or a state, parameters of a task: JSON text"),
        heavy("output", Text, "Output: JSON text"),
        heavy("assigned_variables", Text, "Variables that the state assigned, as a JSON object"),
        maybe("truncated", Flag, "Whether the source says that it cut a payload"),
        heavy("rest", Text, "What no other column holds, as JSON: members that the program does not know, unusual forms"),
    ],
};

/// The table of this name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.into_iter().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_plain_sql() {
        for table in TABLES {
            let names: HashSet<&str> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            assert!(names.iter().all(|name| *name != DAY && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        }
    }
}
