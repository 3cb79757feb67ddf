//! Suites: reading a file of cases, and running each.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Runs every case of a suite.
pub(crate) fn run(suite: &str, run_case: impl Fn(&Value) -> Result<(), String>) {
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
    let failures: Vec<String> = cases.iter().filter_map(run).collect();
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
