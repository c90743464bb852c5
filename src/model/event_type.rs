//! The types of history events, what each carries and what it does in a path.
//!
//! One table, from the service model of `stepfunctions` 2016-11-23: 62 types. A type that is not in it is
//! [`EventType::Unknown`]; its name stays with the event.

/// Kinds of states, by the `Type` of the Amazon States Language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[allow(missing_docs, reason = "the names are those of the language")]
pub enum StateType {
    Task,
    Choice,
    Wait,
    Pass,
    Parallel,
    Map,
    Succeed,
    Fail,
}

impl StateType {
    /// Whether visits of the state hold scopes of their own.
    pub fn is_composite(self) -> bool {
        matches!(self, Self::Parallel | Self::Map)
    }

    /// The word of the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "Task",
            Self::Choice => "Choice",
            Self::Wait => "Wait",
            Self::Pass => "Pass",
            Self::Parallel => "Parallel",
            Self::Map => "Map",
            Self::Succeed => "Succeed",
            Self::Fail => "Fail",
        }
    }

    /// The kind of state that the word of the language names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Task, Self::Choice, Self::Wait, Self::Pass, Self::Parallel, Self::Map, Self::Succeed, Self::Fail]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are those of the service")]
pub enum Ending {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

/// The steps of one attempt of a Task, alike for integrations, functions and activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are those of the service")]
pub enum AttemptStep {
    Scheduled,
    Started,
    Submitted,
    Succeeded,
    Failed,
    TimedOut,
    ScheduleFailed,
    StartFailed,
    SubmitFailed,
}

impl AttemptStep {
    /// Whether the attempt ends here without a result.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::ScheduleFailed | Self::StartFailed | Self::SubmitFailed)
    }
}

/// What an event does in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `ExecutionStarted`.
    ExecutionStarted,
    /// The end of the execution, or of a run of it that was redriven later.
    ExecutionEnded(Ending),
    /// `ExecutionRedriven`.
    ExecutionRedriven,
    /// A visit opens.
    StateEntered(StateType),
    /// A visit closes.
    StateExited(StateType),
    /// An open visit was ended because a sibling failed; the event names no state.
    StateAborted(StateType),
    /// `ParallelStateStarted`, `MapStateStarted`: an attempt of the whole state begins.
    CompositeStarted(StateType),
    /// `ParallelStateSucceeded` and its like.
    CompositeEnded(StateType, Ending),
    /// `MapIterationStarted`.
    IterationStarted,
    /// `MapIterationSucceeded` and its like.
    IterationEnded(Ending),
    /// `MapRunStarted`.
    MapRunStarted,
    /// `MapRunSucceeded` and its like.
    MapRunEnded(Ending),
    /// `MapRunRedriven`.
    MapRunRedriven,
    /// A step of an attempt of a Task.
    Attempt(AttemptStep),
    /// `EvaluationFailed`: a JSONata expression could not be evaluated.
    EvaluationFailed,
    /// A type that is not in the table.
    Unknown,
}

/// Which fields the details of an event may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The type has no details.
    None,
    /// input, roleArn, stateMachineAliasArn, stateMachineVersionArn.
    ExecutionStarted,
    /// error, cause; with resourceType and resource for integrations.
    Failure,
    /// output; with resourceType and resource for integrations.
    Output,
    /// redriveCount, mapRunArn.
    Redriven,
    /// name, input.
    StateEntered,
    /// name, output, assignedVariables.
    StateExited,
    /// length.
    MapStarted,
    /// name, index.
    Iteration,
    /// mapRunArn.
    MapRunStarted,
    /// resource, parameters or input, time limits, credentials.
    Scheduled,
    /// resourceType and resource, or workerName.
    Started,
    /// state, location, error, cause.
    Evaluation,
}

macro_rules! event_types {
    ($($name:ident $member:literal $shape:ident $role:expr;)*) => {
        /// The type of a history event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the names are those of the service")]
        pub enum EventType {
            $($name,)*
            /// Not in the table; the event keeps the name.
            Unknown,
        }

        impl EventType {
            /// All types of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The type that the service calls `name`.
            pub fn from_name(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::Unknown,
                }
            }

            /// The service's name; `Unknown` for a type that is not in the table.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Unknown => "Unknown",
                }
            }

            /// The member of the event that holds its details; empty when it has none.
            pub fn details_member(self) -> &'static str {
                match self {
                    $(Self::$name => $member,)*
                    Self::Unknown => "",
                }
            }

            /// Which fields the details may hold.
            pub fn shape(self) -> Shape {
                match self {
                    $(Self::$name => Shape::$shape,)*
                    Self::Unknown => Shape::None,
                }
            }

            /// What the event does in a path.
            pub fn role(self) -> Role {
                #[allow(clippy::enum_glob_use, reason = "the table below reads as a table")]
                use {AttemptStep as Step, Ending as E, Role::*, StateType as S};
                match self {
                    $(Self::$name => $role,)*
                    Self::Unknown => Unknown,
                }
            }
        }
    };
}

event_types! {
    ActivityFailed               "activityFailedEventDetails"               Failure          Attempt(Step::Failed);
    ActivityScheduled            "activityScheduledEventDetails"            Scheduled        Attempt(Step::Scheduled);
    ActivityScheduleFailed       "activityScheduleFailedEventDetails"       Failure          Attempt(Step::ScheduleFailed);
    ActivityStarted              "activityStartedEventDetails"              Started          Attempt(Step::Started);
    ActivitySucceeded            "activitySucceededEventDetails"            Output           Attempt(Step::Succeeded);
    ActivityTimedOut             "activityTimedOutEventDetails"             Failure          Attempt(Step::TimedOut);
    ChoiceStateEntered           "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Choice);
    ChoiceStateExited            "stateExitedEventDetails"                  StateExited      StateExited(S::Choice);
    EvaluationFailed             "evaluationFailedEventDetails"             Evaluation       EvaluationFailed;
    ExecutionAborted             "executionAbortedEventDetails"             Failure          ExecutionEnded(E::Aborted);
    ExecutionFailed              "executionFailedEventDetails"              Failure          ExecutionEnded(E::Failed);
    ExecutionRedriven            "executionRedrivenEventDetails"            Redriven         ExecutionRedriven;
    ExecutionStarted             "executionStartedEventDetails"             ExecutionStarted ExecutionStarted;
    ExecutionSucceeded           "executionSucceededEventDetails"           Output           ExecutionEnded(E::Succeeded);
    ExecutionTimedOut            "executionTimedOutEventDetails"            Failure          ExecutionEnded(E::TimedOut);
    FailStateEntered             "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Fail);
    LambdaFunctionFailed         "lambdaFunctionFailedEventDetails"         Failure          Attempt(Step::Failed);
    LambdaFunctionScheduled      "lambdaFunctionScheduledEventDetails"      Scheduled        Attempt(Step::Scheduled);
    LambdaFunctionScheduleFailed "lambdaFunctionScheduleFailedEventDetails" Failure          Attempt(Step::ScheduleFailed);
    LambdaFunctionStarted        ""                                         Started          Attempt(Step::Started);
    LambdaFunctionStartFailed    "lambdaFunctionStartFailedEventDetails"    Failure          Attempt(Step::StartFailed);
    LambdaFunctionSucceeded      "lambdaFunctionSucceededEventDetails"      Output           Attempt(Step::Succeeded);
    LambdaFunctionTimedOut       "lambdaFunctionTimedOutEventDetails"       Failure          Attempt(Step::TimedOut);
    MapIterationAborted          "mapIterationAbortedEventDetails"          Iteration        IterationEnded(E::Aborted);
    MapIterationFailed           "mapIterationFailedEventDetails"           Iteration        IterationEnded(E::Failed);
    MapIterationStarted          "mapIterationStartedEventDetails"          Iteration        IterationStarted;
    MapIterationSucceeded        "mapIterationSucceededEventDetails"        Iteration        IterationEnded(E::Succeeded);
    MapRunAborted                ""                                         None             MapRunEnded(E::Aborted);
    MapRunFailed                 "mapRunFailedEventDetails"                 Failure          MapRunEnded(E::Failed);
    MapRunRedriven               "mapRunRedrivenEventDetails"               Redriven         MapRunRedriven;
    MapRunStarted                "mapRunStartedEventDetails"                MapRunStarted    MapRunStarted;
    MapRunSucceeded              ""                                         None             MapRunEnded(E::Succeeded);
    MapStateAborted              ""                                         None             StateAborted(S::Map);
    MapStateEntered              "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Map);
    MapStateExited               "stateExitedEventDetails"                  StateExited      StateExited(S::Map);
    MapStateFailed               ""                                         None             CompositeEnded(S::Map, E::Failed);
    MapStateStarted              "mapStateStartedEventDetails"              MapStarted       CompositeStarted(S::Map);
    MapStateSucceeded            ""                                         None             CompositeEnded(S::Map, E::Succeeded);
    ParallelStateAborted         ""                                         None             StateAborted(S::Parallel);
    ParallelStateEntered         "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Parallel);
    ParallelStateExited          "stateExitedEventDetails"                  StateExited      StateExited(S::Parallel);
    ParallelStateFailed          ""                                         None             CompositeEnded(S::Parallel, E::Failed);
    ParallelStateStarted         ""                                         None             CompositeStarted(S::Parallel);
    ParallelStateSucceeded       ""                                         None             CompositeEnded(S::Parallel, E::Succeeded);
    PassStateEntered             "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Pass);
    PassStateExited              "stateExitedEventDetails"                  StateExited      StateExited(S::Pass);
    SucceedStateEntered          "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Succeed);
    SucceedStateExited           "stateExitedEventDetails"                  StateExited      StateExited(S::Succeed);
    TaskFailed                   "taskFailedEventDetails"                   Failure          Attempt(Step::Failed);
    TaskScheduled                "taskScheduledEventDetails"                Scheduled        Attempt(Step::Scheduled);
    TaskStarted                  "taskStartedEventDetails"                  Started          Attempt(Step::Started);
    TaskStartFailed              "taskStartFailedEventDetails"              Failure          Attempt(Step::StartFailed);
    TaskStateAborted             ""                                         None             StateAborted(S::Task);
    TaskStateEntered             "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Task);
    TaskStateExited              "stateExitedEventDetails"                  StateExited      StateExited(S::Task);
    TaskSubmitFailed             "taskSubmitFailedEventDetails"             Failure          Attempt(Step::SubmitFailed);
    TaskSubmitted                "taskSubmittedEventDetails"                Output           Attempt(Step::Submitted);
    TaskSucceeded                "taskSucceededEventDetails"                Output           Attempt(Step::Succeeded);
    TaskTimedOut                 "taskTimedOutEventDetails"                 Failure          Attempt(Step::TimedOut);
    WaitStateAborted             ""                                         None             StateAborted(S::Wait);
    WaitStateEntered             "stateEnteredEventDetails"                 StateEntered     StateEntered(S::Wait);
    WaitStateExited              "stateExitedEventDetails"                  StateExited      StateExited(S::Wait);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_the_62_types_of_the_service() {
        assert_eq!(EventType::ALL.len(), 62);
        for kind in EventType::ALL {
            assert_eq!(EventType::from_name(kind.name()), *kind);
        }
        assert_eq!(EventType::from_name("TaskTeleported"), EventType::Unknown);
    }

    #[test]
    fn details_stand_under_the_name_of_the_type_or_a_shared_one() {
        for kind in EventType::ALL {
            let member = kind.details_member();
            let own = format!("{}EventDetails", kind.name()).to_lowercase();
            let shared = ["stateEnteredEventDetails", "stateExitedEventDetails", ""];
            assert!(member.to_lowercase() == own || shared.contains(&member), "{} has {member}", kind.name());
        }
    }
}
