//! Inputs of a network that come from outside.

use ndarray::{Array2, ArrayView2, ArrayView3};

use crate::Error;
use crate::error::{check_finite, check_shape};

/// What features of each neuron's own add to its predictor: the drive of a [`Recurrent`](crate::Recurrent) simulation.
///
/// ```text
/// drive[t, i] = Σ_f coef[i, f] · input[t, i, f]
/// ```
///
/// # Shapes
/// coef `[n_neurons, n_features]` and input `[n_samples, n_neurons, n_features]` give `[n_samples, n_neurons]`.
///
/// # Errors
/// [`Error::Shape`] if they do not fit each other, [`Error::NotFinite`] if a value is NaN or infinite.
pub fn feedforward(coef: ArrayView2<'_, f64>, input: ArrayView3<'_, f64>) -> Result<Array2<f64>, Error> {
    let (n_samples, n_neurons, n_features) = input.dim();
    let expected = [n_neurons, n_features];
    check_shape(
        "the feed-forward coefficients",
        coef.shape(),
        &expected,
        "neurons and features of the input",
    )?;
    check_finite("the feed-forward coefficients", coef)?;
    check_finite("the feed-forward input", input)?;
    Ok(Array2::from_shape_fn((n_samples, n_neurons), |(sample, neuron)| {
        let features = (0..n_features).map(|feature| coef[(neuron, feature)] * input[(sample, neuron, feature)]);
        features.sum()
    }))
}
