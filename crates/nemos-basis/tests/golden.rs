//! The golden cases of bases, run without the rest of the workspace.

#[path = "../../../tests/golden/basis.rs"]
#[allow(unreachable_pub, reason = "shared with the tests of the workspace")]
mod basis;

use std::path::Path;

use serde_json::Value;

fn run(suite: &str, case: impl Fn(&Value) -> Result<(), String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("NEMOS_GOLDEN_DIR").unwrap_or_else(|| "tests/golden/cases".into());
    let path = root.join(folder).join(format!("{suite}.json"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the file of a suite")).expect("JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|value| Some(format!("{}: {}", value["name"], case(value).err()?)))
        .collect();
    println!("{suite}: {} cases ran", cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn basis() {
    run("basis", basis::run);
}

#[test]
fn composite() {
    run("composite", basis::run);
}

#[test]
fn convolve() {
    run("convolve", basis::run_convolve);
}

#[test]
fn epoch_convolution() {
    run("timeseries", |case| match case["function"].as_str() {
        Some("epoch_convolution") => basis::run_epoch_convolution(case),
        _ => Ok(()),
    });
}
