//! What can be asked of an execution, and what kind of value it has.

use std::fmt;

use crate::model::facts::Needs;

/// Something that an execution has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// One of those that every execution has.
    Plain(Plain),
    /// Something in the input.
    Input(PayloadPath),
    /// Something in the output.
    Output(PayloadPath),
    /// How often a state was entered.
    Visits(String),
    /// How many items a Map had, the most of any visit; not there where the history does not tell.
    Items(String),
    /// How long an array in the input is.
    Length(PayloadPath),
    /// How many bytes the input has.
    Size,
}

macro_rules! plain_fields {
    ($($variant:ident $name:literal $kind:ident $meaning:literal,)*) => {
        /// A field that every execution has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Plain {
            $(#[doc = $meaning] $variant,)*
        }

        impl Plain {
            /// All of them, in the order in which the documentation has them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As expressions have it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            pub(super) fn kind(self) -> ValueKind {
                match self { $(Self::$variant => ValueKind::$kind,)* }
            }
        }
    };
}

plain_fields! {
    Status "status" Status "how it ended",
    Machine "machine" Text "name of the state machine",
    StateMachine "state_machine" Text "ARN of the state machine",
    Version "version" Text "version of the state machine, when it was started by version or alias",
    Alias "alias" Text "alias of the state machine, when it was started by alias",
    Type "type" Text "STANDARD or EXPRESS",
    Name "name" Text "name of the execution",
    Execution "execution" Text "ARN of the execution",
    Parent "parent" Text "state machine of the execution that started it",
    MapRun "map_run" Text "ARN of the Map Run whose child it is",
    Start "start" Time "when it started",
    Stop "stop" Time "when it ended",
    Hour "hour" Number "hour of its start in UTC, 0 to 23",
    Weekday "weekday" Text "day of its start in UTC: monday to sunday",
    Duration "duration" Duration "from start to stop",
    Error "error" Text "error with which it ended",
    TerminalState "terminal_state" Text "innermost state at which it ended",
    RootState "root_state" Text "state whose failure started it",
    RootError "root_error" Text "error of that failure",
    Group "group" Text "failure group, as `failures` names it",
    Redrives "redrives" Number "how often it was redriven",
    Redriven "redriven" Boolean "whether it was redriven",
    Retries "retries" Number "retries of all its states",
    Events "events" Number "how many events were read",
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Status,
    Text,
    Number,
    Boolean,
    Time,
    Duration,
    /// Whatever JSON has.
    Json,
}

/// The way to values in a payload; `[*]` is every element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayloadPath(pub Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The member of an object.
    Member(String),
    /// An element of an array.
    Element(usize),
    /// Every element of an array.
    Every,
}

impl Field {
    pub(super) fn kind(&self) -> ValueKind {
        match self {
            Self::Plain(plain) => plain.kind(),
            Self::Input(_) | Self::Output(_) => ValueKind::Json,
            Self::Visits(_) | Self::Items(_) | Self::Length(_) | Self::Size => ValueKind::Number,
        }
    }

    pub(super) fn needs(&self) -> Needs {
        let none = Needs::default();
        match self {
            Self::Input(_) | Self::Output(_) | Self::Length(_) | Self::Size => Needs { payloads: true, ..none },
            Self::Plain(Plain::Error | Plain::TerminalState | Plain::RootState | Plain::RootError | Plain::Group) => {
                Needs { failures: true, ..none }
            }
            Self::Visits(_) | Self::Items(_) | Self::Plain(Plain::Retries) => Needs { visits: true, ..none },
            Self::Plain(_) => none,
        }
    }

    /// Reads a field's name; the error says what is wrong with it.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let end = word.find(['.', '[']).unwrap_or(word.len());
        let (head, rest) = word.split_at(end);
        match head {
            "input" => return Ok(Self::Input(PayloadPath::parse(rest)?)),
            "output" => return Ok(Self::Output(PayloadPath::parse(rest)?)),
            _ => {}
        }
        if let Some(plain) = Plain::ALL.iter().find(|plain| plain.name() == word) {
            return Ok(Self::Plain(*plain));
        }
        let nearest = Plain::ALL
            .iter()
            .map(|plain| plain.name())
            .max_by(|one, other| strsim::jaro_winkler(one, word).total_cmp(&strsim::jaro_winkler(other, word)));
        let hint = nearest.filter(|name| strsim::jaro_winkler(name, word) > 0.8).map(|name| format!("; is `{name}` meant?"));
        let hint = hint.unwrap_or_else(|| "; fields of the input are written `input.NAME`".to_owned());
        Err(format!("there is no field `{word}`{hint}"))
    }
}

impl PayloadPath {
    fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err("a name is missing after `.`".to_owned());
                }
                steps.push(Step::Member(after[..end].to_owned()));
                rest = &after[end..];
            } else {
                let (step, after) = Self::bracket(rest)?;
                steps.push(step);
                rest = after;
            }
        }
        Ok(Self(steps))
    }

    fn bracket(rest: &str) -> Result<(Step, &str), String> {
        let inside = rest.strip_prefix('[').ok_or_else(|| format!("`{rest}` is no way into a payload"))?;
        if let Some(quote) = inside.chars().next().filter(|first| matches!(first, '\'' | '"')) {
            let text = &inside[1..];
            let end = text.find(quote).ok_or("a name in brackets has no end")?;
            let after = text[end + 1..].strip_prefix(']').ok_or("`]` is missing")?;
            return Ok((Step::Member(text[..end].to_owned()), after));
        }
        let (index, after) = inside.split_once(']').ok_or("`]` is missing")?;
        match index {
            "*" => Ok((Step::Every, after)),
            _ => match index.parse() {
                Ok(index) => Ok((Step::Element(index), after)),
                Err(_) => Err(format!("`[{index}]` is no element; write a number, `*`, or a name in quotes")),
            },
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(plain) => f.write_str(plain.name()),
            Self::Input(path) => write!(f, "input{path}"),
            Self::Output(path) => write!(f, "output{path}"),
            Self::Visits(state) => write!(f, "visits({})", quoted(state)),
            Self::Items(state) => write!(f, "items({})", quoted(state)),
            Self::Length(path) => write!(f, "length(input{path})"),
            Self::Size => f.write_str("size(input)"),
        }
    }
}

impl fmt::Display for PayloadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Member(name) if is_plain(name) => write!(f, ".{name}")?,
                Step::Member(name) => write!(f, "['{name}']")?,
                Step::Element(index) => write!(f, "[{index}]")?,
                Step::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// Whether a name needs no quotes in a path.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '$' | '@'))
}

/// The name of a state as expressions have it: in quotes where it needs them.
pub fn quoted(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':');
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', "''")) }
}
