//! Flags that every verb takes, as in the AWS CLI.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit_code::WrongUsage;

/// Flags that every verb takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region; an ARN's own region goes before it
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Address of all AWS services that are asked, for local engines and proxies
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Seconds to wait for a connection; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub cli_connect_timeout: Option<u32>,
    /// Seconds to wait for each answer; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub cli_read_timeout: Option<u32>,
    /// How to write the answer
    #[arg(id = "output", long = "output", global = true, value_enum, default_value_t = WantedFormat::Text, value_name = "FORMAT")]
    pub wanted: WantedFormat,
    /// The same for verbs that write no CSV, once [`GlobalArgs::resolve`] has looked at it.
    #[arg(skip)]
    pub output: OutputFormat,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Folder of the store [env: STEPSCOPE_STORE] [default: stepscope in the folder of the user's data]
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Show task tokens and secrets as they are
    #[arg(long, global = true)]
    pub no_redact: bool,
    /// No words on stderr but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// More words on stderr
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl GlobalArgs {
    /// Whether rows are to be written as CSV.
    pub fn is_csv(&self) -> bool {
        self.wanted == WantedFormat::Csv
    }

    /// Settles the format; `has_rows` tells whether the verb's answer is rows, which CSV can hold.
    pub fn resolve(&mut self, has_rows: bool) -> Result<(), WrongUsage> {
        self.output = match self.wanted {
            WantedFormat::Json => OutputFormat::Json,
            WantedFormat::Jsonl => OutputFormat::Jsonl,
            WantedFormat::Text => OutputFormat::Text,
            WantedFormat::Csv if has_rows => OutputFormat::Text,
            WantedFormat::Csv => return Err(WrongUsage("only `query` and `queries run` write CSV; use --output json or jsonl".to_owned())),
        };
        Ok(())
    }
}

/// How the answer is to be written, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WantedFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One JSON document a line
    Jsonl,
    /// Comma-separated values; `query` and `queries run` only
    Csv,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// When the output is a terminal and `NO_COLOR` is not set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
