//! Buckets of S3 as folders: `--s3 BUCKET=DIR`.
//!
//! A key is a path below the folder. No key leads out of it: not by `..`, not by an absolute path, and not over a symbolic link.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use crate::interpreter::{ObjectError, ObjectSummary};

/// The largest object that is read, in bytes.
const LARGEST_OBJECT: u64 = 1 << 30;
/// Deeper folders are not listed.
const DEEPEST_FOLDER: usize = 64;

/// Folders by the name of their bucket.
#[derive(Debug, Default)]
pub struct Buckets {
    folders: BTreeMap<String, PathBuf>,
}

impl Buckets {
    /// Adds a bucket; the folder must be there.
    pub fn add(&mut self, bucket: &str, folder: &Path) -> io::Result<()> {
        let folder = folder.canonicalize()?;
        if !folder.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder"));
        }
        self.folders.insert(bucket.to_owned(), folder);
        Ok(())
    }

    /// The bytes of an object.
    pub fn read(&self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        let folder = self.folder(bucket)?;
        let no_key = || ObjectError::NoKey { bucket: bucket.to_owned(), key: key.to_owned() };
        let path = folder.join(relative(key).ok_or_else(no_key)?);
        let real = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_key(),
            _ => failed("read", &path, &error),
        })?;
        if !real.starts_with(folder) {
            return Err(leads_out(bucket, key));
        }
        // Neither folders nor pipes are objects; opening a pipe would wait for its writer.
        if !real.is_file() {
            return Err(no_key());
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&real).map_err(|error| failed("read", &path, &error))?;
        file.take(LARGEST_OBJECT + 1).read_to_end(&mut bytes).map_err(|error| failed("read", &path, &error))?;
        if bytes.len() as u64 > LARGEST_OBJECT {
            return Err(ObjectError::Other(format!("`{}` has more than {LARGEST_OBJECT} bytes, which is the limit", path.display())));
        }
        Ok(bytes)
    }

    /// The objects whose key begins with `prefix`, in the order of S3: by the bytes of their keys.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectSummary>, ObjectError> {
        let folder = self.folder(bucket)?;
        let mut found = Vec::new();
        // Keys that begin with the prefix are below its last folder.
        let (within, _) = prefix.rsplit_once('/').unwrap_or_default();
        let Some(start) = relative(within) else { return Ok(found) };
        let mut open = vec![(folder.join(start), within.to_owned(), 0)];
        while let Some((path, key, depth)) = open.pop() {
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                // The folder of a prefix need not be there.
                Err(error) if depth == 0 && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => break,
                Err(error) => return Err(failed("list", &path, &error)),
            };
            for entry in entries {
                let entry = entry.map_err(|error| failed("list", &path, &error))?;
                // A name that is no text cannot be a key.
                let Ok(name) = entry.file_name().into_string() else { continue };
                let key = if key.is_empty() { name } else { format!("{key}/{name}") };
                let kind = entry.file_type().map_err(|error| failed("list", &entry.path(), &error))?;
                if kind.is_dir() && depth < DEEPEST_FOLDER {
                    open.push((entry.path(), key, depth + 1));
                } else if key.starts_with(prefix) && is_object_in(folder, &entry.path()) {
                    found.push(summary(key, &entry.path())?);
                }
            }
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    /// Writes an object; folders on its way are made.
    pub fn write(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        let folder = self.folder(bucket)?;
        let bad_key = || ObjectError::Other(format!("the key '{key}' cannot be a file in the folder of bucket '{bucket}'"));
        let path = folder.join(relative(key).filter(|relative| relative.file_name().is_some()).ok_or_else(bad_key)?);
        let parent = path.parent().unwrap_or(folder);
        // What is there of the way must not lead out before anything is made on it.
        let there = parent.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
        let inside = |path: &Path| path.canonicalize().is_ok_and(|real| real.starts_with(folder));
        if !inside(there) || path.is_symlink() {
            return Err(leads_out(bucket, key));
        }
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(|error| failed("write", &path, &error))
    }

    fn folder(&self, bucket: &str) -> Result<&Path, ObjectError> {
        self.folders.get(bucket).map(PathBuf::as_path).ok_or_else(|| ObjectError::NoBucket(bucket.to_owned()))
    }
}

/// The key as a path that stays below its folder; `None` for a key that no such path can be.
fn relative(key: &str) -> Option<PathBuf> {
    let path = Path::new(key);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    // `a//b` and `a/./b` are keys of their own in S3, and one path here.
    let exact = key.is_empty() || key.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (plain && exact && !key.contains('\0')).then(|| path.to_owned())
}

/// A file, or a link to one that is in the bucket's folder as well.
fn is_object_in(folder: &Path, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|real| real.starts_with(folder) && real.is_file())
}

fn summary(key: String, path: &Path) -> Result<ObjectSummary, ObjectError> {
    let about = fs::metadata(path).map_err(|error| failed("list", path, &error))?;
    let modified = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    // Not a digest of the content, as web servers do it: listing reads no files.
    let etag = format!("\"{:x}-{:x}\"", modified.as_second(), about.len());
    Ok(ObjectSummary { key, etag, last_modified: modified, size: about.len() })
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> ObjectError {
    ObjectError::Other(format!("failed to {doing} `{}`: {error}", path.display()))
}

fn leads_out(bucket: &str, key: &str) -> ObjectError {
    ObjectError::Other(format!("the object '{key}' is behind a link that leads out of the folder of bucket '{bucket}'"))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A bucket `data` in a folder that stands beside a secret.
    fn bucket(files: &[&str]) -> (TempDir, Buckets) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secret"), "secret").expect("a file");
        let root = folder.path().join("data");
        fs::create_dir(&root).expect("a folder");
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, file).expect("a file");
        }
        let mut buckets = Buckets::default();
        buckets.add("data", &root).expect("a folder");
        (folder, buckets)
    }

    fn keys(buckets: &Buckets, prefix: &str) -> Vec<String> {
        buckets.list("data", prefix).expect("a listing").into_iter().map(|object| object.key).collect()
    }

    #[test]
    fn objects_are_listed_by_key_and_read() {
        let (_folder, buckets) = bucket(&["b.csv", "a/2.csv", "a/10.csv", "a.csv", "a/deep/x"]);
        assert_eq!(keys(&buckets, ""), ["a.csv", "a/10.csv", "a/2.csv", "a/deep/x", "b.csv"]);
        assert_eq!(keys(&buckets, "a/"), ["a/10.csv", "a/2.csv", "a/deep/x"]);
        assert_eq!(keys(&buckets, "a"), ["a.csv", "a/10.csv", "a/2.csv", "a/deep/x"]);
        assert_eq!(keys(&buckets, "a/1"), ["a/10.csv"]);
        assert_eq!((keys(&buckets, "none/"), keys(&buckets, "a.csv/")), (vec![], vec![]));
        assert_eq!(buckets.read("data", "a/2.csv"), Ok(b"a/2.csv".to_vec()));
        assert_eq!(buckets.list("data", "b").expect("a listing")[0].size, 5);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let (_folder, buckets) = bucket(&[]);
        buckets.write("data", "out/1/manifest.json", b"{}").expect("written");
        buckets.write("data", "out/1/manifest.json", b"[]").expect("written over");
        assert_eq!(buckets.read("data", "out/1/manifest.json"), Ok(b"[]".to_vec()));
    }

    #[test]
    fn what_is_not_there_is_said_in_the_words_of_s3() {
        let (folder, buckets) = bucket(&["a/b"]);
        let no_key = |key: &str| ObjectError::NoKey { bucket: "data".to_owned(), key: key.to_owned() };
        for key in ["c", "a", "a/b/c", ""] {
            assert_eq!(buckets.read("data", key), Err(no_key(key)), "{key}");
        }
        assert_eq!(buckets.read("other", "a"), Err(ObjectError::NoBucket("other".to_owned())));
        assert!(Buckets::default().add("data", &folder.path().join("secret")).is_err(), "a file is no bucket");
        assert!(Buckets::default().add("data", &folder.path().join("nothing")).is_err());
    }

    #[test]
    fn no_key_leads_out_of_the_folder() {
        let (folder, buckets) = bucket(&["a/b"]);
        let absolute = folder.path().join("secret").display().to_string();
        for key in ["../secret", "a/../../secret", "./a/b", "a//b", "a/.", "nul\0", &absolute] {
            assert!(buckets.read("data", key).is_err(), "{key}");
            assert!(buckets.write("data", key, b"x").is_err(), "{key}");
        }
        assert_eq!(keys(&buckets, "../"), [""; 0]);
        assert_eq!(fs::read_to_string(folder.path().join("secret")).expect("a file"), "secret");
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_either() {
        use std::os::unix::fs::symlink;
        let (folder, buckets) = bucket(&["a/b"]);
        let root = folder.path().join("data");
        symlink(folder.path().join("secret"), root.join("link")).expect("a link");
        symlink(folder.path(), root.join("up")).expect("a link");
        symlink(&root, root.join("round")).expect("a link");
        symlink(root.join("a/b"), root.join("inside")).expect("a link");
        symlink(folder.path().join("new"), root.join("dangling")).expect("a link");
        for key in ["link", "up/secret"] {
            assert!(matches!(buckets.read("data", key), Err(ObjectError::Other(message)) if message.contains("leads out")), "{key}");
        }
        for key in ["link", "up/secret", "up/made/file", "dangling"] {
            assert!(buckets.write("data", key, b"x").is_err(), "{key}");
        }
        assert!(!folder.path().join("made").exists() && !folder.path().join("new").exists());
        assert_eq!(keys(&buckets, ""), ["a/b", "inside"]);
        assert_eq!(buckets.read("data", "inside"), Ok(b"a/b".to_vec()));
    }
}
