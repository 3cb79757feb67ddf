//! The book: every chapter is listed, tested and linked rightly, and every program of `examples/` is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[test]
fn every_chapter_is_in_the_summary_once() {
    let summary = read("book/src/SUMMARY.md");
    let listed = links(&summary);
    let listed_once: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), listed_once.len(), "a chapter is listed twice");
    let files: BTreeSet<String> = chapters().into_keys().collect();
    assert_eq!(listed_once, files.iter().map(String::as_str).collect());
}

#[test]
fn chapters_with_code_that_runs_are_documentation_tests() {
    let tested = read("src/book.rs");
    let untested: Vec<String> = chapters()
        .into_iter()
        .filter(|(_, text)| text.lines().any(|line| line == "```rust" || line == "```rust,no_run"))
        .map(|(name, _)| name)
        .filter(|name| !tested.contains(&format!("../book/src/{name}")))
        .collect();
    assert!(untested.is_empty(), "not in src/book.rs: {untested:?}");
}

#[test]
fn every_example_is_shown_in_a_chapter_and_listed() {
    let (book, list) = (chapters().into_values().collect::<String>(), read("examples/README.md"));
    for example in files_in("examples", "rs") {
        assert!(book.contains(&format!("examples/{example}")), "no chapter shows {example}");
        assert!(
            list.contains(&format!("]({example})")),
            "examples/README.md does not list {example}"
        );
    }
}

#[test]
fn what_chapters_include_is_there() {
    for (name, text) in chapters() {
        for include in text.split("{{#include ").skip(1) {
            let target = include.split("}}").next().unwrap_or_default();
            let (file, anchor) = target.split_once(':').unwrap_or((target, ""));
            let program = std::fs::read_to_string(root().join("book/src").join(file));
            let program = program.unwrap_or_else(|why| panic!("{name} includes {file}: {why}"));
            let is_there = anchor.is_empty() || program.contains(&format!("ANCHOR: {anchor}\n"));
            assert!(is_there, "{name} includes {target}, but there is no such anchor");
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let pages = [("README.md", "."), ("CONTRIBUTING.md", "."), ("examples/README.md", "examples")];
    let pages = pages.map(|(page, folder)| (page.to_string(), read(page), root().join(folder)));
    let chapters = chapters().into_iter().map(|(name, text)| (name, text, root().join("book/src")));
    let mut broken = Vec::new();
    for (name, text, folder) in pages.into_iter().chain(chapters) {
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() {
                text.clone()
            } else {
                std::fs::read_to_string(folder.join(file)).unwrap_or_default()
            };
            let has_heading = heading.is_empty() || headings(&target).contains(heading);
            if (!file.is_empty() && !folder.join(file).exists()) || !has_heading {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pictures_say_in_words_what_they_show() {
    let pages = chapters().into_iter().chain([("README.md".into(), read("README.md"))]);
    let mut mute = Vec::new();
    for (name, text) in pages {
        let pictures = prose(&text).flat_map(|(_, line)| line.split("![").skip(1));
        let words = pictures.filter_map(|rest| rest.split_once("](").map(|(words, _)| words));
        mute.extend(
            words
                .filter(|words| words.split_whitespace().count() < 6)
                .map(|words| format!("{name}: {words:?}")),
        );
    }
    assert!(mute.is_empty(), "{}", mute.join("\n"));
}

#[test]
fn nothing_is_fetched_to_show_a_page() {
    let settings = read("book/book.toml");
    assert!(!settings.contains("mathjax") && !settings.contains("additional-js"), "{settings}");
    let fetched = ["<script", "<link ", "src=\"http", "![](http"];
    for (name, text) in chapters() {
        for (at, line) in prose(&text) {
            assert!(!fetched.iter().any(|mark| line.contains(mark)), "{name}:{at}: {line}");
        }
    }
}

#[test]
fn nothing_is_written_that_markdown_would_eat() {
    let mut wrong = Vec::new();
    for (name, text) in chapters() {
        for (at, line) in prose(&text) {
            // Formulas are Unicode. TeX would need a script from somewhere, and Markdown takes its backslashes.
            let tex = ["\\(", "\\[", "\\,", "\\frac", "\\sum", "$$", "^{", "_{"];
            if tex.iter().any(|mark| outside_code(line).contains(mark)) {
                wrong.push(format!("{name}:{at}: {line}"));
            }
        }
        // A table whose rows differ in their number of cells loses some, and one without headings says nothing.
        let rows: Vec<(usize, usize, &str)> = prose(&text)
            .filter(|(_, line)| line.starts_with('|'))
            .map(|(at, line)| (at, cells(line), line))
            .collect();
        for pair in rows.windows(2) {
            let [(before, expected, headings_above), (at, got, line)] = [pair[0], pair[1]];
            if at == before + 1 && got != expected {
                wrong.push(format!("{name}:{at}: {got} cells, {expected} above: {line}"));
            }
            let is_empty = |cell: &str| cell.trim().is_empty();
            if line.starts_with("|---") && headings_above.trim_matches('|').split('|').any(is_empty) {
                wrong.push(format!("{name}:{before}: a column without a heading: {headings_above}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lines_of_programs_are_not_cut_off() {
    // As many as the column of the book shows, and as rustfmt gives the examples.
    let most = 110;
    let mut long = Vec::new();
    for example in files_in("examples", "rs") {
        let program = read(&format!("examples/{example}"));
        let lines = program.lines().enumerate().filter(|(_, line)| line.chars().count() > most);
        long.extend(lines.map(|(at, line)| format!("{example}:{}: {line}", at + 1)));
    }
    for (name, text) in chapters() {
        let mut in_code = false;
        for (at, line) in text.lines().enumerate() {
            in_code = if in_code { line != "```" } else { line.starts_with("```rust") };
            if in_code && line.chars().count() > most {
                long.push(format!("{name}:{}: {line}", at + 1));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn what_tables_say_is_here_is_here() {
    let mut sources = Vec::new();
    collect_sources(&root().join("crates"), &mut sources);
    let sources = sources.concat();
    let known: BTreeSet<&str> = sources.split(|c: char| !is_of_a_name(c)).collect();
    let mut unknown = Vec::new();
    for chapter in ["coming_from_nemos.md", "coming_from_pynapple.md", "coming_from_sklearn.md"] {
        let text = read(&format!("book/src/{chapter}"));
        for (at, line) in prose(&text).filter(|(_, line)| line.starts_with("| ")) {
            let here = line
                .replace("\\|", "")
                .trim_end_matches([' ', '|'])
                .rsplit('|')
                .next()
                .unwrap_or_default()
                .to_string();
            for code in here.split('`').skip(1).step_by(2) {
                // Functions and types: what is called, and what is followed by two colons.
                let called = code.match_indices(['(', ':']).map(|(end, _)| &code[..end]);
                let names = called.filter_map(|before| before.rsplit(|c: char| !is_of_a_name(c)).next());
                let of_others = ["StdRng", ""];
                let names = names.filter(|name| !known.contains(name) && !of_others.contains(name));
                unknown.extend(names.map(|name| format!("{chapter}:{at}: {name} in `{code}`")));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text of all sources below a folder, without lines of documentation and other names of items.
fn collect_sources(folder: &Path, sources: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_sources(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") && path.components().any(|part| part.as_os_str() == "src") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//") && !line.contains("doc(alias"));
            sources.push(code.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The cells of a row of a table.
fn cells(line: &str) -> usize {
    line.replace("\\|", "").matches('|').count() - 1
}

/// The lines outside of blocks of code, numbered from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((at + 1, line))
    })
}

/// A line without what stands between backticks.
fn outside_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The targets of all links and images of a page.
fn links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|(_, line)| line.split("](").skip(1));
    targets.filter_map(|rest| rest.split(')').next()).collect()
}

/// The names under which a page's headings are linked.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = prose(text).filter(|(_, line)| line.starts_with('#'));
    titles
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// All chapters, by the names of their files.
fn chapters() -> BTreeMap<String, String> {
    let names = files_in("book/src", "md").into_iter().filter(|name| name != "SUMMARY.md");
    names.map(|name| (name.clone(), read(&format!("book/src/{name}")))).collect()
}

fn files_in(folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder of the repository");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let of_kind = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
    let names = of_kind.filter_map(|path| Some(path.file_name()?.to_str()?.to_string()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
