//! Suites: reading a file of cases, and running each.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// Runs every case of a suite, one after the other.
pub(crate) fn run(suite: &str, run_case: impl Fn(&Value) -> Result<(), String> + Sync) {
    run_at_a_time(1, suite, run_case);
}

/// Runs every case of a suite, as many at a time as there are cores: for long cases that are too small to share among threads.
#[allow(dead_code, reason = "cases that processes share are run one after the other")]
pub(crate) fn run_on_all_cores(suite: &str, run_case: impl Fn(&Value) -> Result<(), String> + Sync) {
    run_at_a_time(std::thread::available_parallelism().map_or(1, usize::from), suite, run_case);
}

fn run_at_a_time(n_threads: usize, suite: &str, run_case: impl Fn(&Value) -> Result<(), String> + Sync) {
    let (folder, is_default) = folder();
    let path = folder.join(format!("{suite}.json"));
    if !is_default && folder.join("glm.json").exists() && !path.exists() {
        say(&format!("{suite}: {} has no such file; nothing ran", folder.display()));
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&with_null_for_nan(&text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(file["suite"], suite, "{} holds another suite", path.display());
    let cases = file["cases"].as_array().expect("a list of cases");
    let run = |case: &Value| {
        let name = case["name"].as_str().expect("a name");
        run_case(case).err().map(|why| format!("{name}: {why}"))
    };
    let failures = in_parallel(n_threads, cases, run);
    say(&format!(
        "{suite}: {} of {} cases passed",
        cases.len() - failures.len(),
        cases.len()
    ));
    assert!(
        failures.is_empty(),
        "{} of {suite} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// What `run` finds of each case, in the order of the cases. Each thread, of which this is one, takes the next case that none has taken.
fn in_parallel(n_threads: usize, cases: &[Value], run: impl Fn(&Value) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut found = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(place) else {
                return found;
            };
            found.extend(run(case).map(|failure| (place, failure)));
        }
    };
    let mut failures: Vec<(usize, String)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(take)).collect();
        let mut found = take();
        for other in others {
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        found
    });
    failures.sort_by_key(|(place, _)| *place);
    failures.into_iter().map(|(_, failure)| failure).collect()
}

/// The same text where a bare `NaN`, which is no JSON, is `null`, which stands for it in the cases.
fn with_null_for_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.push('"');
        }
        // Every second part is a text. None holds an escaped quote.
        match place % 2 {
            0 => out.push_str(&part.replace("NaN", "null")),
            _ => out.push_str(part),
        }
    }
    out
}

/// Prints a line that the test harness does not swallow when the test passes.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output is open");
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the cases are, and whether that is the repository's own folder.
pub(crate) fn folder() -> (PathBuf, bool) {
    match std::env::var_os("NEMOS_GOLDEN_DIR") {
        Some(folder) => (root().join(folder), false),
        None => (root().join("tests/golden/cases"), true),
    }
}
