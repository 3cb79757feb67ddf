//! Writing whole files or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

/// Writes a file beside its target and renames it, so that the target is never half-written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace_with(path, |file| file.write_all(bytes))
}

/// The same for a file that is written bit by bit.
pub(crate) fn replace_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut beside = path.file_name().unwrap_or_default().to_os_string();
    beside.push(format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let beside = path.with_file_name(beside);
    let write = || {
        let mut file = File::create_new(&beside)?;
        fill(&mut file)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    };
    write().map_err(|source: io::Error| {
        // Whether or not it exists, the first error is the one to report.
        let _ = fs::remove_file(&beside);
        Error::Write {
            path: path.into(),
            source: Arc::new(source),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_failure_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("nemos_replace_{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("model");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        fs::create_dir(folder.join("taken")).unwrap();
        assert!(matches!(replace(&folder.join("taken"), b"third"), Err(Error::Write { .. })));
        assert!(replace(&folder.join("no/such/folder"), b"fourth").is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(folder).unwrap();
    }
}
