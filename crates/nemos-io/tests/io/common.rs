//! What the tests of files share.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A path that no other test uses, removed in the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A new path that ends in this name: tests of one program run at once.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Scratch(std::env::temp_dir().join(format!("nemos_io_{}_{number}_{name}", std::process::id())))
    }

    /// A file of these bytes.
    pub(crate) fn of(name: &str, bytes: &[u8]) -> Self {
        let scratch = Scratch::new(name);
        std::fs::write(&scratch.0, bytes).unwrap();
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Where the fixtures are: in the repository, or where `NEMOS_RECORDINGS_DIR` says.
pub(crate) fn folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::env::var_os("NEMOS_RECORDINGS_DIR").map_or(here, PathBuf::from)
}
