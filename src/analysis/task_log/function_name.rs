//! The ways to name a Lambda function.
//!
//! | text                                              | names                                      |
//! |---------------------------------------------------|--------------------------------------------|
//! | `charge`, `charge:live`                           | a function of the caller's account, region |
//! | `111111111111:function:charge`                    | one of another account                     |
//! | `arn:aws:lambda:eu-west-1:111111111111:function:charge:7` | one anywhere, in version 7          |
//!
//! The forms are those of `FunctionName` of the Lambda API's Invoke.

/// A function, as a task names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// Without account and version.
    pub name: String,
    /// A version's number or an alias.
    pub qualifier: Option<String>,
    /// Where it runs, when the name says so.
    pub region: Option<String>,
    /// Whose it is, when the name says so.
    pub account: Option<String>,
}

impl FunctionName {
    /// Reads a name, a partial or a whole ARN; `None` for what names no function.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => (Some(*region), Some(*account), rest),
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            ["function", rest @ ..] | rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let is_qualifier = |text: &str| is_plain(text) || text == "$LATEST";
        let sound = is_plain(name) && qualifier.is_none_or(is_qualifier) && region.is_none_or(is_plain) && account.is_none_or(is_plain);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        sound.then(|| Self { name: name.to_owned(), qualifier: owned(qualifier), region: owned(region), account: owned(account) })
    }

    /// Where Lambda writes its log unless it was told otherwise.
    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }
}
