//! The same numbers under `mpirun`, whatever the number of processes; and an end, with a message, where one of them fails.
//!
//! Run by `cargo test --test mpi`, it starts itself under `mpirun`, once for each thing to try.

#[path = "../ranks/cases.rs"]
mod cases;
#[path = "../golden/glm.rs"]
mod glm;
#[path = "../golden/model.rs"]
mod model;
#[path = "../golden/ranks.rs"]
mod ranks;
#[path = "../golden/suite.rs"]
mod suite;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};

use cases::{Recording, all, close, difference};
use nemos::core::World;
use nemos::prelude::*;

type Anything = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match act() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn act() -> Result<(), Anything> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fits", file] => fits(&nemos::mpi::start()?, Path::new(file)),
        ["golden"] => golden(nemos::mpi::start()?),
        ["fails"] => fails(&nemos::mpi::start()?),
        ["panics"] => panics(&nemos::mpi::start()?),
        ["dies"] => dies(&nemos::mpi::start()?),
        _ => drive(),
    }
}

/// Tries everything, and says what was tried.
fn drive() -> Result<(), Anything> {
    let files: Vec<PathBuf> = [0, 1, 2, 4]
        .map(|n| std::env::temp_dir().join(format!("nemos_mpi_{}_{n}", std::process::id())))
        .to_vec();
    for (n, file) in [0, 1, 2, 4].into_iter().zip(&files) {
        let name = file.to_str().ok_or("a folder for files that is no text")?;
        expect(&run(n, &["fits", name])?.1, true, "")?;
        println!("ok      fits in {n} processes{}", if n == 0 { ", without mpirun" } else { "" });
    }
    let found = files.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    files.iter().try_for_each(std::fs::remove_file)?;
    if found.iter().any(|one| one.is_empty() || one != &found[0]) {
        return Err("the bits differ between numbers of processes".into());
    }
    println!("ok      the same bits");
    let (_, output) = run(2, &["golden"])?;
    expect(&output, true, "cases passed")?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    println!("ok      golden cases in 2 processes");
    for (what, message) in [
        ("fails", "process 1: rows 3..4 could not be read"),
        ("panics", "process 1: has ended"),
        ("dies", "signal 9"),
    ] {
        let (took, output) = run(3, &[what])?;
        expect(&output, false, message)?;
        if took > Duration::from_secs(10) {
            return Err(format!("a process that {what} ends the others after {took:?}").into());
        }
        println!("ok      a process that {what} ends the others ({:.1} s in all)", took.as_secs_f64());
    }
    Ok(())
}

/// This program in `n` processes, or by itself; how long it took.
fn run(n: usize, words: &[&str]) -> Result<(Duration, Output), Anything> {
    let program = std::env::current_exe()?;
    let mut command = match n {
        0 => Command::new(program),
        n => {
            let mut command = Command::new("mpirun");
            command
                .args(["--allow-run-as-root", "--oversubscribe", "-n", &n.to_string()])
                .arg(program);
            command
        }
    };
    let begin = Instant::now();
    let output = command.args(words).env("RAYON_NUM_THREADS", "2").output()?;
    Ok((begin.elapsed(), output))
}

fn expect(output: &Output, success: bool, message: &str) -> Result<(), Anything> {
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() == success && said.contains(message) {
        return Ok(());
    }
    Err(format!("expected {message:?}; {}:\n{said}", output.status).into())
}

/// All fits: those of one process up to rounding, the same to the last bit in all. The first process writes them down.
fn fits(world: &World, file: &Path) -> Result<(), Anything> {
    let (found, plain) = (all(Some(world))?, all(None)?);
    let (apart, name) = difference(&plain, &found);
    let (further, other) = difference(&close(None)?, &close(Some(world))?);
    let (apart, name) = if further > apart { (further, other) } else { (apart, name) };
    let numbers: Vec<f64> = found.iter().flat_map(|(_, numbers)| numbers).copied().collect();
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<u64>>();
    let same = world.gather(&numbers)?.iter().all(|others| bits(others) == bits(&numbers));
    if apart > 1e-12 || !same {
        return Err(format!("{name} differs by {apart:e}; the same in all processes: {same}").into());
    }
    if world.rank() == 0 {
        std::fs::write(file, format!("{:x?}", bits(&numbers)))?;
    }
    Ok(())
}

/// The suites `glm` and `population`, each process with its share of the rows.
fn golden(world: World) -> Result<(), Anything> {
    ranks::run_in(Some(world));
    suite::run("glm", glm::run);
    suite::run("population", glm::run);
    // The last handle is dropped here: statics never are.
    ranks::run_in(None);
    Ok(())
}

/// A process that cannot read its rows.
fn fails(world: &World) -> Result<(), Anything> {
    let read = || match world.rank() {
        1 => {
            let source = std::sync::Arc::new(std::io::Error::other("no such file"));
            Err(nemos::core::Error::Read { start: 3, end: 4, source })
        }
        _ => Ok(Matrix::<Cpu>::zeros([10, 1])),
    };
    let rows = world.agree(read())?;
    // Never reached.
    println!("{:?}", rows.dims());
    Ok(())
}

/// A process that panics while the others fit.
fn panics(world: &World) -> Result<(), Anything> {
    let (design, counts) = Recording::new([2000, 5, 3]).of::<Cpu>(Some(world))?;
    assert_ne!(world.rank(), 1, "a fault of this process");
    let _ = PopulationGlm::new(Poisson).fit(&design, &counts)?;
    Ok(())
}

/// A process that is killed in the middle of a fit.
fn dies(world: &World) -> Result<(), Anything> {
    let (design, counts) = Recording::new([50_000, 20, 10]).of::<Cpu>(Some(world))?;
    if world.rank() == 1 {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            Command::new("kill").args(["-9", &std::process::id().to_string()]).status()
        });
    }
    loop {
        let _ = PopulationGlm::new(Poisson).fit(&design, &counts)?;
    }
}
