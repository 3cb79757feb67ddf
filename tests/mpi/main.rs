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
#[path = "../ranks/states.rs"]
mod states;
#[path = "../golden/suite.rs"]
mod suite;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cases::{Recording, all, close, difference};
use nemos::core::{Design, Rows, World};
use nemos::glm::Checkpoint;
use nemos::prelude::*;
use nemos::solvers::{Callback, Lbfgs, Progress};

type Anything = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match act() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // At once: those of several processes come through one pipe.
            let said = format!("{error}\n");
            eprint!("{said}");
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
        ["kept", file, step] => kept(&nemos::mpi::start()?, Path::new(file), step.parse()?),
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
    goes_on()
}

/// A fit with a checkpoint, of which one process is killed, goes on in other numbers of processes.
fn goes_on() -> Result<(), Anything> {
    let folder = std::env::temp_dir().join(format!("nemos_mpi_kept_{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let name = |of: &str| {
        folder
            .join(of)
            .to_str()
            .map(String::from)
            .ok_or("a folder for files that is no text")
    };
    let never = "1000";
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, output) = run(2, &["kept", &name("whole")?, never])?;
    expect(&output, true, "passes")?;
    let whole = said(&output);
    let (took, output) = run(2, &["kept", &name("killed")?, "4"])?;
    expect(&output, false, "signal 9")?;
    if took > Duration::from_secs(10) {
        return Err(format!("a process that is killed ends the others after {took:?}").into());
    }
    for n in [1, 4] {
        let copy = name(&format!("killed_{n}"))?;
        std::fs::copy(name("killed")?, &copy)?;
        let (_, output) = run(n, &["kept", &copy, never])?;
        expect(&output, true, "passes")?;
        let [whole, of_rest] = [&whole, &said(&output)].map(|said| {
            let (bits, passes) = said.split_once(" in ").unwrap_or_default();
            let passes = passes.split_once(' ').and_then(|(passes, _)| passes.parse::<f64>().ok());
            (bits.to_string(), passes.unwrap_or(f64::NAN))
        });
        let is_shorter = of_rest.1 < whole.1 - 1.5;
        if whole.0 != of_rest.0 || !is_shorter {
            return Err(format!("expected {whole:?} or less, and in {n} processes it was {of_rest:?}").into());
        }
        println!(
            "ok      a fit of 2 processes, one of them killed ({:.1} s in all), goes on in {n}: {:.0} passes instead of {:.0}",
            took.as_secs_f64(),
            of_rest.1,
            whole.1
        );
    }
    Ok(std::fs::remove_dir_all(folder)?)
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

/// A fit that is kept in a file, in which the second process dies at a step; its bits, and how often all rows were read.
fn kept(world: &World, file: &Path, dies_at: usize) -> Result<(), Anything> {
    let (design, counts) = Recording::new([20_000, 10, 8]).of::<Cpu>(Some(world))?;
    let (read, step) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let solver = Callback::new(Lbfgs::new(), |_: &[Progress]| {
        if step.fetch_add(1, Ordering::Relaxed) + 1 == dies_at && world.rank() == 1 {
            let killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            panic!("this process goes on after its death: {killed:?}");
        }
    });
    let share = design.share().ok_or("a design that nobody shares")?;
    let mine = Counted(design.rows(), &read);
    let design = share.design(Design::from_rows(mine))?;
    let model = PopulationGlm::new(Poisson)
        .regularizer(ridge(0.01))
        .checkpoint(Checkpoint::new(file).every(0.0));
    let fitted = model.fit_with(&solver, &design, &counts)?;
    let read = world.gather(&[read.load(Ordering::Relaxed) as f64])?.concat().iter().sum::<f64>();
    if world.rank() == 0 {
        let bits: Vec<u64> = fitted.parameters().as_slice().iter().map(|number| number.to_bits()).collect();
        println!("{bits:x?} in {} passes", read / share.n_rows() as f64);
    }
    Ok(())
}

/// Rows that say how many of them were read.
struct Counted<'c>(&'c dyn Rows<Cpu>, &'c AtomicUsize);

impl Rows<Cpu> for Counted<'_> {
    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.0.n_columns()
    }

    fn chunk(&self, rows: std::ops::Range<usize>) -> Result<Matrix<Cpu>, nemos::core::Error> {
        self.1.fetch_add(rows.len(), Ordering::Relaxed);
        self.0.chunk(rows)
    }
}

/// All fits, those of hidden states too: those of one process up to rounding, the same to the last bit in all. The first process writes them down.
fn fits(world: &World, file: &Path) -> Result<(), Anything> {
    let (mut found, plain) = (all(Some(world))?, all(None)?);
    let (apart, name) = difference(&plain, &found);
    found.extend(states::fits(Some(world))?);
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
