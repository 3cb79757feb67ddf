//! How is a fitted model kept, and used again in another program or in Python?

use nemos::io::SavedModel;
use nemos::prelude::*;

/// Spikes of a cell that prefers one direction of movement.
fn recording() -> (Matrix<Cpu>, Matrix<Cpu>) {
    let direction = |bin: u32| f64::from(bin) * 0.1 % std::f64::consts::TAU;
    let count = |bin: u32| f64::from(bin % 5) * (1.0 + direction(bin).cos()).powi(2) / 4.0;
    let directions = Matrix::from_column((0..2000).map(direction).collect());
    (directions, Matrix::from_column((0..2000).map(|bin| count(bin).round()).collect()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (direction, counts) = recording();
    let basis = CyclicBSpline::new(6).label("direction").with_bounds_from(&direction)?;
    let features = basis.compute_features(&direction)?;
    let fitted = Glm::new(Poisson).regularizer(ridge(1e-4)).fit(&features, &counts)?;

    // The whole model, and the basis with the bounds of its training data.
    let folder = std::env::temp_dir();
    let path = folder.join("direction.safetensors");
    fitted.to_saved()?.with_basis(basis).save(&path)?;

    // The types say what the file must hold; another model would be an error.
    let saved = SavedModel::load(&path)?;
    let loaded = FittedGlm::<Poisson, Exp>::from_saved(&saved)?;
    assert_eq!(loaded, fitted);
    println!("{}: {saved}, {}", path.display(), loaded.outcome().status);

    // New data need nothing else.
    let basis = saved.basis().ok_or("saved without its basis")?;
    let north = basis.compute_features(&Matrix::<Cpu>::from_column(vec![0.0]))?;
    println!("facing north: {:.2} spikes per bin", loaded.predict(&north)?.to_vec()[0]);

    // For Python: nemos.load_model("direction.npz").
    let path = folder.join("direction.npz");
    fitted.save_nemos(&path)?;
    let loaded = FittedGlm::<Poisson, Exp>::load_nemos(&path)?;
    assert_eq!(loaded.coef(), fitted.coef());
    println!(
        "{}: log-likelihood {:.4}",
        path.display(),
        loaded.score(&features, &counts, Score::LogLikelihood)?
    );
    Ok(())
}
