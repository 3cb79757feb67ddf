//! Rules of the workspace: which crate may use which, and the licences of everything that is built.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Who may use whom. What the tests of a crate use may be `nemos-testkit` besides.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("nemos-core", &[]),
    ("nemos-solvers", &["nemos-core"]),
    ("nemos-basis", &["nemos-core"]),
    ("nemos-timeseries", &["nemos-core"]),
    ("nemos-glm", &["nemos-solvers", "nemos-core"]),
    ("nemos-sim", &["nemos-glm", "nemos-solvers", "nemos-basis", "nemos-core"]),
    (
        "nemos-hmm",
        &["nemos-glm", "nemos-solvers", "nemos-basis", "nemos-timeseries", "nemos-core"],
    ),
    ("nemos-inference", &["nemos-glm", "nemos-solvers", "nemos-basis", "nemos-core"]),
    ("nemos-select", &["nemos-glm", "nemos-solvers", "nemos-basis", "nemos-core"]),
    (
        "nemos-io",
        &["nemos-glm", "nemos-solvers", "nemos-basis", "nemos-timeseries", "nemos-core"],
    ),
    ("nemos-plot", &["nemos-glm", "nemos-timeseries", "nemos-basis", "nemos-core"]),
    ("nemos-mpi", &["nemos-core"]),
    (
        "nemos",
        &[
            "nemos-core",
            "nemos-solvers",
            "nemos-basis",
            "nemos-timeseries",
            "nemos-glm",
            "nemos-sim",
            "nemos-hmm",
            "nemos-inference",
            "nemos-select",
            "nemos-io",
            "nemos-mpi",
            "nemos-plot",
        ],
    ),
    ("nemos-testkit", &["nemos-core", "nemos-solvers", "nemos-glm"]),
];

#[test]
fn crates_use_only_what_their_layer_allows() {
    let table = BTreeMap::from(MAY_USE);
    let mut violations = Vec::new();
    for package in packages(&["--no-deps"]) {
        let name = text(&package, "name");
        let Some(allowed) = table.get(name) else {
            violations.push(format!("{name} is not in the table of layers"));
            continue;
        };
        for dependency in list(&package, "dependencies") {
            let used = text(dependency, "name");
            let in_tests = dependency["kind"] == "dev";
            let is_ours = used == "nemos" || used.starts_with("nemos-");
            if is_ours && !allowed.contains(&used) && !(in_tests && used == "nemos-testkit") {
                violations.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
#[ignore = "asks for the crates of every feature, which may have to be downloaded; `.ci/run` runs it"]
fn licences_of_all_dependencies_are_allowed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let deny = std::fs::read_to_string(root.join("deny.toml")).expect("deny.toml at the root");
    let (_, list) = deny.split_once("allow = [").expect("a list of allowed licences");
    let (list, _) = list.split_once("\n]").expect("the end of the list");
    let lines = list.lines().map(str::trim).filter(|line| line.starts_with('"'));
    let allowed: Vec<&str> = lines.map(|line| line.trim_matches(['"', ','])).collect();
    assert!(allowed.contains(&"MIT") && !allowed.iter().any(|licence| licence.contains("GPL")));
    let refused: Vec<String> = packages(&["--all-features"])
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| format!("{} is under {}", text(package, "name"), package["license"]))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Whether an SPDX expression can be met with these licences; `/` is an old way to write `OR`.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

/// `term OR term OR …`
fn any_of(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut met = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        // Both sides are always read, so that the whole expression is.
        met |= all_of(words, allowed);
    }
    met
}

/// `factor AND factor AND …`
fn all_of(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut met = factor(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= factor(words, allowed);
    }
    met
}

/// A licence, one with an exception, or an expression in parentheses.
fn factor(words: &mut &[&str], allowed: &[&str]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).unwrap_or_default();
            met
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.contains(licence)
        }
        [] => false,
    }
}

#[test]
fn expressions_of_licences_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"];
    for met in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND Zlib",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(met, &allowed), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND GPL-3.0", "Apache-2.0", "MIT )"] {
        assert!(!is_allowed(unmet, &allowed), "{unmet}");
    }
}

/// What `cargo metadata` says about the packages that this machine builds.
fn packages(arguments: &[&str]) -> Vec<Value> {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    list(&metadata, "packages").to_vec()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().expect("a list, as cargo documents it")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text, as cargo documents it")
}
