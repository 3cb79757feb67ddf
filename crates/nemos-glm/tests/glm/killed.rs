//! Fits whose program is killed, and go on from a file.
//!
//! The program is this one, which runs the test at the end of this file alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nemos_core::Cpu;
use nemos_glm::{Checkpoint, FittedPopulationGlm, Poisson, PopulationGlm, ridge};

use crate::common::{Simulated, simulate};

const FILE: &str = "NEMOS_KILLED";

/// A fit in groups, whose evaluations are some ten kilobytes each: that they reach the disk takes a while.
fn problem() -> (PopulationGlm, Simulated<Cpu>) {
    let data = simulate([800, 40, 200], 5, f64::exp);
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let plan = |model: &PopulationGlm| model.plan(&data.design, &data.counts).unwrap();
    // The largest limit that makes several groups: what fits take depends on the number of threads.
    let limits = (1..10).map(|tenths| (1.0 - 0.1 * f64::from(tenths)) * plan(&model).bytes());
    let limited = limits.map(|limit| model.clone().memory_limit(limit));
    let model = limited.into_iter().find(|model| plan(model).n_groups() > 1).unwrap();
    (model, data)
}

fn fit_with_a_file(path: &Path) -> FittedPopulationGlm {
    let (model, data) = problem();
    let model = model.checkpoint(Checkpoint::new(path).every(0.0));
    model.fit::<Cpu>(&data.design, &data.counts).unwrap()
}

/// When a program is killed: before it has written anything, or the given time that it writes, or has written.
#[derive(Copy, Clone, Debug)]
enum Moment {
    AtOnce,
    Writing(usize),
    Written(usize),
}

/// How a program ended.
#[derive(Copy, Clone, Debug, PartialEq)]
enum End {
    Finished,
    Killed,
    /// With a file that was not whole yet under its other name.
    KilledInWriting,
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Runs the fit in a program of its own, until that ends or the moment comes.
fn run(path: &Path, moment: Moment) -> End {
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_fit_that_is_killed", "--ignored"])
        .env(FILE, path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let part = part_of(path);
    let modified = || path.metadata().and_then(|file| file.modified()).ok();
    let (mut last, mut n_written) = (modified(), 0);
    loop {
        if let Some(status) = program.try_wait().unwrap() {
            assert!(status.success(), "{moment:?}: {status}");
            return End::Finished;
        }
        let now = modified();
        n_written += usize::from(now != last);
        last = now;
        let is_time = match moment {
            Moment::AtOnce => true,
            // What an earlier program left is gone after the first time.
            Moment::Writing(n) => n_written + 1 >= n && part.exists(),
            Moment::Written(n) => n_written >= n,
        };
        if is_time {
            program.kill().unwrap();
            let status = program.wait().unwrap();
            return match part.exists() {
                _ if status.success() => End::Finished,
                true => End::KilledInWriting,
                false => End::Killed,
            };
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_is_killed_goes_on_with_the_same_bits() {
    let (model, data) = problem();
    let expected = model.fit(&data.design, &data.counts).unwrap();
    let path = std::env::temp_dir().join(format!("nemos_killed_{}", std::process::id()));
    let remove = || {
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_file(part_of(&path));
    };
    let assert_is_the_same = |moment: &str| {
        let fitted = fit_with_a_file(&path);
        assert_eq!(fitted.coef(), expected.coef(), "{moment}");
        assert_eq!(fitted.intercept(), expected.intercept(), "{moment}");
        assert_eq!(fitted.outcome(), expected.outcome(), "{moment}");
    };
    remove();
    let mut ends = Vec::new();
    for moment in [
        Moment::AtOnce,
        Moment::Writing(1),
        Moment::Written(1),
        Moment::Writing(3),
        Moment::Written(4),
        Moment::Writing(7),
        Moment::Written(9),
    ] {
        ends.push(run(&path, moment));
        assert_is_the_same(&format!("{moment:?}, {ends:?}"));
        remove();
    }
    // Again and again, until it ends: each time it comes further.
    let ended = (1..30).find(|times| {
        ends.push(run(&path, Moment::Writing(40 * times)));
        ends.last() == Some(&End::Finished)
    });
    println!("{ends:?}");
    assert!(ended.is_some(), "{ends:?}");
    assert!(
        ends.contains(&End::KilledInWriting) && ends.iter().filter(|end| **end != End::Finished).count() > 5,
        "{ends:?}"
    );
    assert_is_the_same("again and again");
    remove();
}

#[test]
#[ignore = "run by the test above, in a program of its own"]
fn a_fit_that_is_killed() {
    if let Some(path) = std::env::var_os(FILE) {
        let _ = fit_with_a_file(Path::new(&path));
    }
}
