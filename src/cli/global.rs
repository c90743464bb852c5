//! Flags that every verb takes, as in the AWS CLI.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

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
    /// Address of the Step Functions API, for local engines and proxies
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Seconds to wait for a connection; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub cli_connect_timeout: Option<u32>,
    /// Seconds to wait for each answer; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub cli_read_timeout: Option<u32>,
    /// Folder of the store [default: $XDG_DATA_HOME/stepscope or ~/.local/share/stepscope]
    #[arg(long, global = true, env = "STEPSCOPE_STORE", hide_env_values = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// How to write the answer
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Text, value_name = "FORMAT")]
    pub output: OutputFormat,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
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
    /// The store's folder: as given, or where data of programs is kept.
    pub fn store_folder(&self) -> anyhow::Result<PathBuf> {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = || folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
        let given = self.store.clone().or_else(|| Some(data()?.join("stepscope")));
        given.context("failed to find the store: there is no home folder; name one with --store DIR")
    }
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One JSON document a line
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
