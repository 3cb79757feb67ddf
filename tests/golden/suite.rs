//! Suites: reading a file of cases, running each, and saying what was left out.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::pending::PENDING;

/// Runs every case of a suite.
pub(crate) fn run(suite: &str, run_case: impl Fn(&Value) -> Result<(), String>) {
    let (folder, is_default) = folder();
    let path = folder.join(format!("{suite}.json"));
    if !is_default && folder.join("glm.json").exists() && !path.exists() {
        say(&format!("{suite}: {} has no such file; nothing ran", folder.display()));
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(file["suite"], suite, "{} holds another suite", path.display());
    let cases = file["cases"].as_array().expect("a list of cases");
    let pending = pending_names(suite);
    let names: Vec<&str> = cases.iter().map(|case| case["name"].as_str().expect("a name")).collect();
    let mut failures: Vec<String> = pending
        .iter()
        .filter(|name| !names.contains(&name.as_str()))
        .map(|name| format!("{name} is listed as pending but does not exist"))
        .collect();
    let (mut ran, mut left_out) = (0, 0);
    for (name, case) in names.iter().zip(cases) {
        let result = run_case(case);
        match (result, pending.iter().any(|other| other == name)) {
            (Ok(()), false) => ran += 1,
            (Err(_), true) => left_out += 1,
            (Err(why), false) => failures.push(format!("{name}: {why}")),
            (Ok(()), true) => failures.push(format!("{name} passes: take it off the list of pending cases")),
        }
    }
    say(&format!("{suite}: {ran} cases ran, {left_out} left out"));
    assert!(
        failures.is_empty(),
        "{} of {suite} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
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

/// Names of the cases of this suite that cannot run yet, each listed once.
fn pending_names(suite: &str) -> Vec<String> {
    let numbers = PENDING.iter().filter(|group| group.suite == suite).flat_map(|group| group.cases);
    let mut names: Vec<String> = numbers.map(|number| format!("{suite}/{number:02}")).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a case of {suite} is listed twice");
    names
}
