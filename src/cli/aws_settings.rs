//! How to reach AWS: the settings that the global flags and the environment resolve to.
//!
//! Apart from the loader because it follows the AWS CLI, whose users expect the same words to do the same:
//!
//! | word                                | what it sets                                          |
//! |-------------------------------------|-------------------------------------------------------|
//! | `--cli-connect-timeout`             | the seconds to open a connection, 0 for no limit      |
//! | `--cli-read-timeout`                | the seconds for one try of a call, 0 for no limit     |
//! | `AWS_MAX_ATTEMPTS`                  | the tries of a call                                   |
//! | `AWS_RETRY_MODE`                    | `standard` (also for `legacy`) or `adaptive`          |
//!
//! Profile, region, credentials and `AWS_ENDPOINT_URL` are the SDK's to look up.

use std::time::Duration;

use super::exit_code::WrongUsage;
use super::global::GlobalArgs;
use crate::analysis::execution::quoted;
use crate::sources::aws::{AwsSettings, Patience};

/// In place of no limit: nobody waits longer, and sums of it do not overflow.
const NO_LIMIT: Duration = Duration::from_hours(24);

/// The settings for these flags in an environment, which is looked up by name.
pub fn resolve(global: &GlobalArgs, environment: impl Fn(&str) -> Option<String>) -> Result<AwsSettings, WrongUsage> {
    Ok(AwsSettings {
        profile: global.profile.clone(),
        region: global.region.clone(),
        endpoint_url: global.endpoint_url.clone(),
        patience: patience(global, environment)?,
        ..AwsSettings::default()
    })
}

/// The given flags that lead another command, of this program or of the AWS CLI, to the same account; each after a space.
pub fn flags_again(global: &GlobalArgs) -> String {
    let given = [("--profile", &global.profile), ("--endpoint-url", &global.endpoint_url)];
    let given = given.iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted(value.as_deref()?))));
    given.collect::<Vec<_>>().concat()
}

fn patience(global: &GlobalArgs, environment: impl Fn(&str) -> Option<String>) -> Result<Patience, WrongUsage> {
    let mut patience = Patience::default();
    if let Some(seconds) = global.cli_read_timeout {
        patience.attempt = limit(seconds);
    }
    if let Some(seconds) = global.cli_connect_timeout {
        patience.connect = limit(seconds);
        // A try begins with its connection.
        patience.attempt = patience.attempt.max(patience.connect);
    }
    // Whoever waits longer for a try wants a second one as well, and pages to follow it.
    patience.call = patience.call.max(2 * patience.attempt);
    patience.history = patience.history.max(2 * patience.call);
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    if let Some(text) = set("AWS_MAX_ATTEMPTS") {
        patience.attempts =
            text.parse().ok().filter(|attempts| *attempts > 0).ok_or_else(|| bad("AWS_MAX_ATTEMPTS", &text, "a number from 1"))?;
    }
    if let Some(text) = set("AWS_RETRY_MODE") {
        patience.adaptive = match text.to_ascii_lowercase().as_str() {
            "standard" | "legacy" => false,
            "adaptive" => true,
            _ => return Err(bad("AWS_RETRY_MODE", &text, "`standard` or `adaptive`")),
        };
    }
    Ok(patience)
}

fn limit(seconds: u32) -> Duration {
    if seconds == 0 { NO_LIMIT } else { Duration::from_secs(seconds.into()).min(NO_LIMIT) }
}

fn bad(name: &str, text: &str, wanted: &str) -> WrongUsage {
    WrongUsage(format!("the environment variable {name} is `{text}`; it must be {wanted}, or not set"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        global: GlobalArgs,
    }

    fn resolved(flags: &[&str], environment: &[(&str, &str)]) -> Result<Patience, String> {
        let global = Program::try_parse_from([&["stepscope"], flags].concat()).expect("flags").global;
        let look_up = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        resolve(&global, look_up).map(|settings| settings.patience).map_err(|error| error.to_string())
    }

    #[test]
    fn without_flags_and_environment_the_defaults_hold() {
        let (resolved, default) = (resolved(&[], &[("AWS_MAX_ATTEMPTS", "")]).expect("nothing is wrong"), Patience::default());
        assert_eq!(format!("{resolved:?}"), format!("{default:?}"));
    }

    #[test]
    fn a_longer_read_leaves_time_for_a_second_try_and_for_further_pages() {
        let patience = resolved(&["--cli-read-timeout", "60", "--cli-connect-timeout", "5"], &[]).expect("sound");
        assert_eq!((patience.connect, patience.attempt), (Duration::from_secs(5), Duration::from_mins(1)));
        assert_eq!((patience.call, patience.history), (Duration::from_mins(2), Duration::from_mins(4)));
        let slow = resolved(&["--cli-connect-timeout", "30"], &[]).expect("sound");
        assert_eq!((slow.attempt, slow.call), (Duration::from_secs(30), Duration::from_mins(1)));
        let short = resolved(&["--cli-read-timeout", "1"], &[]).expect("sound");
        assert_eq!((short.attempt, short.call), (Duration::from_secs(1), Patience::default().call));
    }

    #[test]
    fn the_flags_of_the_account_are_given_on_quoted_for_a_shell() {
        let again = |flags: &[&str]| flags_again(&Program::try_parse_from([&["stepscope"], flags].concat()).expect("flags").global);
        assert_eq!(again(&["--region", "eu-west-1", "--output", "json"]), "");
        let flags = ["--endpoint-url", "http://127.0.0.1:8083", "--profile", "on call"];
        assert_eq!(again(&flags), " --profile 'on call' --endpoint-url http://127.0.0.1:8083");
    }

    #[test]
    fn zero_and_the_largest_number_wait_as_long_as_anybody_does() {
        for seconds in ["0", "4294967295"] {
            assert_eq!(resolved(&["--cli-read-timeout", seconds], &[]).expect("sound").attempt, NO_LIMIT);
        }
    }

    #[test]
    fn tries_and_mode_come_from_the_environment() {
        let patience = resolved(&[], &[("AWS_MAX_ATTEMPTS", "2"), ("AWS_RETRY_MODE", "adaptive")]).expect("sound");
        assert_eq!((patience.attempts, patience.adaptive), (2, true));
        assert!(!resolved(&[], &[("AWS_RETRY_MODE", "legacy")]).expect("sound").adaptive);
        for (name, value) in [("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "eager")] {
            let message = resolved(&[], &[(name, value)]).expect_err("no such value");
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }
}
