//! What the environment sets up: where the store is.

use std::env;
use std::path::PathBuf;

use super::exit_code::WrongUsage;
use super::global::GlobalArgs;

/// The folder of the store: `--store`, else `STEPSCOPE_STORE`, else `stepscope` where the user's data is.
pub fn store_folder(global: &GlobalArgs) -> anyhow::Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let found = folder(global.store.clone(), set);
    found.ok_or_else(|| {
        WrongUsage("where is the store? There is no home folder to look in; give --store DIR, or set STEPSCOPE_STORE".to_owned()).into()
    })
}

fn folder(given: Option<PathBuf>, set: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let data = || set("XDG_DATA_HOME").filter(|folder| folder.is_absolute()).map(|folder| folder.join("stepscope"));
    let home = || set("HOME").map(|home| home.join(".local/share/stepscope"));
    given.or_else(|| set("STEPSCOPE_STORE")).or_else(data).or_else(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_setting_counts() {
        let all = [("STEPSCOPE_STORE", "/s"), ("XDG_DATA_HOME", "/data"), ("HOME", "/home/ada")];
        let among = |set: &[(&str, &str)], given: Option<&str>| {
            folder(given.map(PathBuf::from), |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value)))
        };
        assert_eq!(among(&all, Some("here")), Some("here".into()));
        assert_eq!(among(&all, None), Some("/s".into()));
        assert_eq!(among(&all[1..], None), Some("/data/stepscope".into()));
        assert_eq!(among(&all[2..], None), Some("/home/ada/.local/share/stepscope".into()));
        assert_eq!(among(&[("XDG_DATA_HOME", "relative")], None), None, "the specification says to pass over relative ones");
    }
}
