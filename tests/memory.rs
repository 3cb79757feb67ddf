//! Recordings that are larger than the memory that a fit of them may take.

use nemos::basis::RaisedCosineLog;
use nemos::cpu::*;
use nemos::io::{NpyRows, write_npy};
use nemos::ndarray::Array2;
use nemos::rand::{Rng, RngExt, SeedableRng};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const N_UNITS: usize = 40;
const SECONDS: f64 = 120.0;
const BIN: f64 = 0.001;

/// Units that fire some ten times a second.
fn units() -> Result<TsGroup, Box<dyn std::error::Error>> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let unit = |rng: &mut dyn Rng| {
        let mut time = 0.0;
        let mut times = Vec::new();
        while time < SECONDS {
            time += -0.1 * (1.0 - rng.random::<f64>()).ln() + 0.002;
            times.push(time);
        }
        Ts::new(times)
    };
    let units: Vec<Ts> = (0..N_UNITS).map(|_| unit(&mut rng)).collect::<Result<_, _>>()?;
    Ok(TsGroup::new(units, &IntervalSet::new([(0.0, SECONDS)])?))
}

/// What a fit of each of these units by the spikes of all takes beside what was there before, in bytes, and what it finds.
fn measured(
    fit: impl FnOnce() -> Result<Array2<f64>, Box<dyn std::error::Error>>,
) -> Result<(f64, Array2<f64>), Box<dyn std::error::Error>> {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let coef = fit()?;
    Ok((MEMORY.peak_usage() as f64 - before as f64, coef))
}

// One test: what others allocate meanwhile would count.
#[test]
fn a_coupled_population_is_fitted_in_a_fraction_of_the_memory_of_its_features() -> Result<(), Box<dyn std::error::Error>> {
    let units = units()?;
    let basis = RaisedCosineLog::new(3).convolved(20).label("spikes");
    let model = PopulationGlm::new(Poisson).regularizer(ridge(1e-4));
    let (n_bins, n_features) = ((SECONDS / BIN) as usize, 3 * N_UNITS);
    let dense = 8.0 * n_bins as f64 * (N_UNITS + n_features) as f64;

    let (of_dense, expected) = measured(|| {
        let counts: TsdFrame = units.count(BIN)?;
        let features = basis.compute_features(&counts)?;
        Ok(model.fit(&features, &counts)?.coef().to_owned())
    })?;
    assert!(of_dense > dense, "{of_dense} {dense}");

    let (of_spikes, coef) = measured(|| {
        let counts = units.binned(BIN)?;
        let features = basis.design::<Cpu>(&counts)?;
        Ok(model.fit(&features, &counts)?.coef().to_owned())
    })?;
    assert_eq!(coef, expected);
    assert!(of_spikes < 0.25 * dense, "{of_spikes} of {dense} bytes");

    // The same counts in bytes, in memory and on disk.
    let counts: TsdFrame = units.count(BIN)?;
    let narrow: Array2<u8> = counts.values().to_array().mapv(|count| count as u8);
    let path = std::env::temp_dir().join(format!("nemos_memory_{}.npy", std::process::id()));
    write_npy(&path, counts.values().to_array().view())?;
    drop(counts);
    let (of_bytes, coef) = measured(|| {
        let features = basis.design::<Cpu>(&narrow)?;
        Ok(model.fit(&features, &narrow)?.coef().to_owned())
    })?;
    assert_eq!(coef, expected);
    assert!(of_bytes < 0.25 * dense, "{of_bytes} of {dense} bytes");
    let (of_file, coef) = measured(|| {
        let counts = NpyRows::open(&path)?;
        let features = basis.design::<Cpu>(&counts)?;
        Ok(model.fit(&features, &counts)?.coef().to_owned())
    })?;
    assert_eq!(coef, expected);
    assert!(of_file < 0.25 * dense, "{of_file} of {dense} bytes");
    std::fs::remove_file(path)?;
    println!("dense {of_dense:.2e}, spikes {of_spikes:.2e}, bytes {of_bytes:.2e}, file {of_file:.2e}; data {dense:.2e}");
    Ok(())
}
