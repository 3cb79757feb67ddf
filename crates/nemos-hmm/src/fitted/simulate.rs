//! Drawing states and counts from a model, row by row, so that features may be made of what was drawn before.

use ndarray::Array2;
use nemos_core::Segments;
use nemos_glm::{Draw, ScalarLink};
use rand::Rng;

use crate::chain::paths::draw_state;
use crate::error::check_shape;
use crate::state_model::{ClassStates, GlmStates, StateModel};
use crate::{Error, FittedGlmHmm};

/// A model of states whose counts can be drawn.
pub trait DrawStates: StateModel {
    /// One count from the predictors of a neuron (one, or one per class) and its scale.
    fn draw<R: Rng + ?Sized>(&self, predictors: &[f64], scale: f64, rng: &mut R) -> f64;
}

impl<O: Draw + PartialEq, L: ScalarLink + PartialEq> DrawStates for GlmStates<O, L> {
    fn draw<R: Rng + ?Sized>(&self, predictors: &[f64], scale: f64, rng: &mut R) -> f64 {
        self.0
            .observation_model()
            .draw(self.0.inverse_link().rate_of(predictors[0]), scale, rng)
    }
}

impl DrawStates for ClassStates {
    fn draw<R: Rng + ?Sized>(&self, predictors: &[f64], _scale: f64, rng: &mut R) -> f64 {
        let highest = predictors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = predictors.iter().map(|predictor| (predictor - highest).exp()).collect();
        draw_state(&weights, rng) as f64
    }
}

/// What was drawn from a model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SimulatedStates {
    /// `[n_rows]`
    pub states: Vec<usize>,
    /// `[n_rows, n_neurons]`: counts, or labels.
    pub counts: Array2<f64>,
    /// `[n_rows, n_features]`: the features that were asked for.
    pub features: Array2<f64>,
}

impl<S: DrawStates> FittedGlmHmm<S> {
    /// Draws states and counts. `features` gives those of a row, and is told the row and the counts of all rows before it: where features are
    /// made of earlier choices or spikes they must be made of those that were drawn, or the draws check nothing.
    ///
    /// # Shapes
    /// `features` returns `[n_features]`; `drive` is `[n_rows, n_inputs]`, without columns where nothing drives the transitions.
    ///
    /// # Errors
    /// [`Error::Shape`] if features or drive do not fit the model.
    ///
    /// # Example
    /// ```
    /// use ndarray::{Array2, array};
    /// use nemos_core::Segments;
    /// use nemos_glm::Bernoulli;
    /// use nemos_hmm::{GlmHmm, HmmParameters, StateGlm, Transitions};
    /// use rand::SeedableRng;
    /// // A state that repeats the last choice, and one that alternates.
    /// let state = |coef: f64| StateGlm { coef: array![[coef]], intercept: vec![0.0], scale: vec![1.0] };
    /// let parameters = HmmParameters::new(vec![0.5; 2], Transitions::staying(2, 0.98)?, &[state(2.0), state(-2.0)])?;
    /// let model = GlmHmm::new(2, Bernoulli).with_parameters(parameters)?;
    /// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    /// let last = |row: usize, counts: &Array2<f64>| vec![if row % 100 == 0 { 0.0 } else { 2.0 * counts[(row - 1, 0)] - 1.0 }];
    /// let drawn = model.simulate(&Segments::from_lengths([100, 100]), last, &Array2::zeros((200, 0)), &mut rng)?;
    /// assert_eq!((drawn.counts.dim(), drawn.states.len()), ((200, 1), 200));
    /// # Ok::<(), nemos_hmm::Error>(())
    /// ```
    pub fn simulate<R: Rng + ?Sized>(
        &self,
        sessions: &Segments,
        mut features: impl FnMut(usize, &Array2<f64>) -> Vec<f64>,
        drive: &Array2<f64>,
        rng: &mut R,
    ) -> Result<SimulatedStates, Error> {
        let parameters = &self.parameters;
        let (n_rows, n_neurons, n_features) = (sessions.n_rows(), parameters.n_neurons(), parameters.n_features());
        let transitions = parameters.transitions();
        check_shape(
            "what drives transitions",
            drive.shape(),
            &[n_rows, transitions.n_inputs()],
            "row, input",
        )?;
        let n = parameters.n_states();
        let mut drawn = SimulatedStates {
            states: vec![0; n_rows],
            counts: Array2::zeros((n_rows, n_neurons)),
            features: Array2::zeros((n_rows, n_features)),
        };
        let mut step = vec![0.0; n * n];
        for session in sessions.ranges() {
            for row in session.clone() {
                let law = if row == session.start {
                    parameters.initial()
                } else {
                    transitions.step(&drive.row(row).to_vec(), &mut step);
                    let before = drawn.states[row - 1];
                    &step[before * n..(before + 1) * n]
                };
                let state = draw_state(law, rng);
                drawn.states[row] = state;
                let of_row = features(row, &drawn.counts);
                check_shape("features of a row", &[of_row.len()], &[n_features], "feature")?;
                for neuron in 0..n_neurons {
                    let problem = state * n_neurons + neuron;
                    let predictors: Vec<f64> = parameters
                        .glms
                        .column(problem)
                        .chunks_exact(n_features + 1)
                        .map(|coef| coef[n_features] + coef.iter().zip(&of_row).map(|(coef, x)| coef * x).sum::<f64>())
                        .collect();
                    let scale = parameters.scales[problem];
                    drawn.counts[(row, neuron)] = self.specification.states.draw(&predictors, scale, rng);
                }
                drawn.features.row_mut(row).iter_mut().zip(of_row).for_each(|(to, x)| *to = x);
            }
        }
        Ok(drawn)
    }
}
