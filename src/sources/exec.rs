//! What `EXEC` on the command line may be.

use std::path::PathBuf;

use crate::model::ExecutionArn;
use crate::model::arn::ArnError;

/// One argument that names an execution, or a file that holds some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exec {
    /// An execution's ARN, given as such or in a console address.
    Arn(ExecutionArn),
    /// `-`.
    StandardInput,
    /// A file or a folder.
    Path(PathBuf),
}

impl std::str::FromStr for Exec {
    type Err = ArnError;

    /// `-`, an ARN, a console address or a path. Text that begins like an ARN or an address and is none is an error, so that
    /// nobody is told that a file of this name does not exist.
    fn from_str(text: &str) -> Result<Self, ArnError> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if text.starts_with("arn:") {
            return text.parse().map(Self::Arn);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return ExecutionArn::from_console_url(text).map(Self::Arn).ok_or_else(|| ArnError::NotAnArn(text.to_owned()));
        }
        Ok(Self::Path(PathBuf::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_told_by_its_beginning() {
        let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";
        assert_eq!("-".parse(), Ok(Exec::StandardInput));
        assert_eq!(arn.parse(), Ok(Exec::Arn(arn.parse().expect("an ARN"))));
        let page = format!("https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{arn}");
        assert_eq!(page.parse(), Ok(Exec::Arn(arn.parse().expect("an ARN"))));
        assert_eq!("history.json".parse(), Ok(Exec::Path("history.json".into())));
        assert!("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse::<Exec>().is_err());
        assert!("https://example.com/".parse::<Exec>().is_err());
    }
}
