//! Fits that are stopped in some processes and go on in another number of them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use nemos::core::{Design, Error, Matrix, Rows, World};
use nemos::glm::Checkpoint;
use nemos::prelude::*;
use nemos::solvers::{Auto, Lbfgs, Solver};
use nemos_testkit::in_ranks;

const ROWS: usize = 4000;

/// A file of this test that does not exist.
fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("nemos_ranks_{}_{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Rows that say how many of them were read.
struct Counted<'c>(Matrix<Cpu>, &'c AtomicUsize);

impl Rows<Cpu> for Counted<'_> {
    fn n_rows(&self) -> usize {
        self.0.dims()[0]
    }

    fn n_columns(&self) -> usize {
        self.0.dims()[1]
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<Cpu>, Error> {
        self.1.fetch_add(rows.len(), Ordering::Relaxed);
        self.0.rows(rows)
    }
}

fn noise(place: usize) -> f64 {
    let x = (place as f64 * 12.9898 + 1.0).sin() * 43758.5453;
    x - x.floor()
}

/// A fit of some neurons on the rows of this process, of which row `changed` is another one; what it ended with.
fn fit(
    model: &PopulationGlm,
    solver: &dyn Solver,
    (world, read): (&World, &AtomicUsize),
    changed: Option<usize>,
) -> Result<Vec<f64>, nemos::Error> {
    let mine = world.share(ROWS);
    let feature = |row: usize, k: usize| noise(12 * row + k) + if changed == Some(row) && k == 5 { 1.0 } else { 0.0 };
    let count = |row: usize, k: usize| (noise(6 * row + k + 77).powi(2) * (4 + k) as f64).floor();
    let features = mine.rows().flat_map(|row| (0..12).map(move |k| feature(row, k))).collect();
    let counts = mine.rows().flat_map(|row| (0..6).map(move |k| count(row, k))).collect();
    let features = Matrix::from_vec(features, [mine.rows().len(), 12])?;
    let design = mine.design(Design::from_rows(Counted(features, read)))?;
    let fitted = model.fit_with(solver, &design, &Matrix::from_vec(counts, [mine.rows().len(), 6])?)?;
    Ok(fitted.parameters().as_slice().iter().chain(fitted.scale()).copied().collect())
}

/// The same in so many processes, and how often all rows were read.
fn in_processes(
    n: usize,
    model: &PopulationGlm,
    solver: &dyn Solver,
    changed: Option<usize>,
) -> (Vec<Result<Vec<f64>, nemos::Error>>, f64) {
    let read = AtomicUsize::new(0);
    let found = in_ranks(n, |world| fit(model, solver, (&world, &read), changed));
    (found, read.into_inner() as f64 / ROWS as f64)
}

fn eager(path: &Path) -> Checkpoint {
    Checkpoint::new(path).every(0.0)
}

fn assert_goes_on(model: PopulationGlm, solver: &dyn Solver, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (expected, passes) = in_processes(2, &model, solver, None);
    let expected = expected.into_iter().next().ok_or("two processes")??;
    let stopped = file(&format!("{name}_stopped"));
    let steps = model.clone().checkpoint(eager(&stopped)).stopping(Stopping::new().max_steps(4));
    assert!(in_processes(2, &steps, solver, None).0.iter().all(Result::is_ok));
    for n in [1, 2, 4, 3] {
        let path = file(name);
        std::fs::copy(&stopped, &path)?;
        let kept = model.clone().checkpoint(eager(&path));
        let (found, passes_left) = in_processes(n, &kept, solver, None);
        for found in found {
            let found = found?;
            let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(if n == 3 { apart < 1e-12 } else { found == expected }, "{name} in {n}: {apart:e}");
        }
        assert!(passes_left < passes - 1.9, "{name} in {n}: {passes_left} passes of {passes}");
        // It is finished, whoever asks.
        let (found, passes) = in_processes(1, &kept, solver, None);
        assert!(
            found.iter().all(Result::is_ok) && passes < 1.5,
            "{name} in {n}: {passes} passes of a finished fit"
        );
        std::fs::remove_file(path)?;
    }
    std::fs::remove_file(stopped)?;
    Ok(())
}

#[test]
fn a_fit_goes_on_in_another_number_of_processes() -> Result<(), Box<dyn std::error::Error>> {
    let poisson = PopulationGlm::new(Poisson);
    let auto = Auto::new();
    assert_goes_on(poisson.clone(), &auto, "auto")?;
    assert_goes_on(poisson.clone().regularizer(lasso(0.02)), &auto, "lasso")?;
    assert_goes_on(poisson.regularizer(ridge(0.1)), &Lbfgs::new(), "ridge")
}

#[test]
fn all_processes_hear_why_a_file_is_refused() {
    let (path, auto) = (file("refused"), Auto::new());
    let model = PopulationGlm::new(Poisson).checkpoint(eager(&path));
    let cut = model.clone().stopping(Stopping::new().max_steps(3));
    assert!(in_processes(2, &cut, &auto, None).0.iter().all(Result::is_ok));
    let said = |model: &PopulationGlm, n, changed| -> Vec<String> {
        let (found, _) = in_processes(n, model, &auto, changed);
        found
            .into_iter()
            .map(|found| found.map_or_else(|error| error.to_string(), |_| "fine".into()))
            .collect()
    };
    // A row of the last process.
    let of_other_data = said(&model, 4, Some(ROWS - 1));
    assert!(
        of_other_data.iter().all(|said| said.contains("remove it to start anew")),
        "{of_other_data:?}"
    );
    let of_another = said(&model.clone().regularizer(ridge(0.3)), 2, None);
    assert!(
        of_another.iter().all(|said| said.contains("it is of another fit")),
        "{of_another:?}"
    );
    assert!(of_another[1].starts_with("process 0: "), "{}", of_another[1]);
    let nowhere = said(&model.checkpoint(eager(Path::new("no such folder/fit"))), 3, None);
    assert!(nowhere.iter().all(|said| said.contains("cannot be used")), "{nowhere:?}");
    std::fs::remove_file(path).unwrap();
}
