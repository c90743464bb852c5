//! What the findings of all detectors have in common.

use serde::Serialize;

use super::why::NextCommand;

/// How bad it is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Work is lost or held up now: somebody has to act.
    Critical,
    /// It hurts, or will.
    Warning,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// How sure a finding is, by a rule and never by a bare score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The structure says so: a Retry without jitter in force, and waves seen.
    Certain,
    /// Less likely than 1 in 10,000 by chance, after correction for how much was tested, on at least 20 observations.
    Strong,
    /// Everything else that is worth saying.
    Weak,
}

impl Confidence {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Strong => "strong",
            Self::Weak => "weak",
        }
    }
}

/// The members that every finding has beside those of its kind.
#[derive(Debug, Clone, Serialize)]
pub struct Common {
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was found, in one sentence for a person.
    pub summary: String,
    /// Commands to run next; none is run by the program.
    pub next: Vec<NextCommand>,
    /// What to run next, from which the caller makes `next`: only it knows where the executions came from.
    #[serde(skip)]
    pub steps: Vec<Step>,
}

/// Something to do next, without where the executions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `stepscope VERB`, about one execution.
    Execution {
        /// What it tells.
        text: String,
        /// `why`, `show`, `replay`.
        verb: &'static str,
        /// The execution's ARN, or its name.
        execution: String,
        /// Further arguments, quoted for a shell.
        arguments: String,
    },
    /// `stepscope VERB`, over the same executions.
    Fleet {
        /// What it tells.
        text: String,
        /// `storms`, `failures`, `compare`.
        verb: &'static str,
        /// Further arguments, quoted for a shell.
        arguments: String,
    },
    /// A command as it stands, such as one of the AWS CLI.
    Command(NextCommand),
}

/// What a detector could not judge, and what it would need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotEnough {
    /// The question that stays open: `storms`, `callbacks`, `latency`, `error_rate`, `runway`.
    pub question: &'static str,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state; null where it is about the whole machine.
    pub state: Option<String>,
    /// How many observations there are.
    pub has: u64,
    /// How many it takes.
    pub needs: u64,
    /// What is counted: `completed waits`, `successful attempts`.
    pub of: &'static str,
}
