//! How is a fitted model kept, and used again in another program or in Python?

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
    let features = CyclicBSpline::new(6).compute_features(&direction)?;
    let fitted = Glm::new(Poisson)
        .regularizer(Regularizer::Ridge(1e-4.into()))
        .fit(&features, &counts)?;

    // The whole model, in a file that any language can read.
    let folder = std::env::temp_dir();
    let path = folder.join("direction.safetensors");
    fitted.save(&path)?;

    // The types say what the file must hold; another model would be an error.
    let loaded = FittedGlm::<Cpu, Poisson, Exp>::load(&path)?;
    assert_eq!(loaded.predict(&features)?.to_vec(), fitted.predict(&features)?.to_vec());
    println!("{}: {}, {} steps", path.display(), loaded.outcome().status, loaded.outcome().steps);

    // For Python: nemos.load_model("direction.npz").
    let path = folder.join("direction.npz");
    fitted.save_nemos(&path)?;
    let loaded = FittedGlm::<Cpu, Poisson, Exp>::load_nemos(&path)?;
    assert_eq!(loaded.coef(), fitted.coef());
    println!(
        "{}: log-likelihood {:.4}",
        path.display(),
        loaded.score(&features, &counts, Score::LogLikelihood)?
    );
    Ok(())
}
