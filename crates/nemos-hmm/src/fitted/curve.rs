//! Held-out bits over numbers of states.

use nemos_core::{Backend, ToDesign};

use crate::fit::data::Data;
use crate::fitted::compare::{HeldOut, select};
use crate::state_model::StateModel;
use crate::{Error, GlmHmm};

/// One number of states, held out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurvePoint {
    /// How many states.
    pub n_states: usize,
    /// What each fold, held out, was worth.
    pub folds: Vec<HeldOut>,
    /// How many starts agree in each fold, of how many that were followed to their end.
    pub agreement: Vec<(usize, usize)>,
}

impl CurvePoint {
    /// Bits per observation of each fold; NaN where none of its rows were observed.
    pub fn bits(&self) -> Vec<f64> {
        self.folds.iter().map(HeldOut::bits_per_observation).collect()
    }

    /// Mean bits per observation over the folds that have observations.
    pub fn mean(&self) -> f64 {
        let bits = self.known_bits();
        bits.iter().sum::<f64>() / bits.len() as f64
    }

    /// Standard deviation of the bits per observation over the folds that have observations.
    pub fn spread(&self) -> f64 {
        let (mean, bits) = (self.mean(), self.known_bits());
        let n = bits.len() as f64;
        (bits.iter().map(|bits| (bits - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
    }

    fn known_bits(&self) -> Vec<f64> {
        let known = self.folds.iter().filter(|fold| fold.n_observations > 0.0);
        known.map(HeldOut::bits_per_observation).collect()
    }
}

/// Held-out bits for several numbers of states: sessions are dealt out to `n_folds` folds in turn, and each fold is described by a model
/// that was fitted to the others. All numbers of states see the same folds.
///
/// # Errors
/// [`Error::Option`] unless there are two folds at least, and as many sessions; as [`GlmHmm::fit`]. If the transitions are driven:
/// [`states_curve_driven`].
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix, Segments, ToDesign};
/// use nemos_glm::Poisson;
/// use nemos_hmm::{GlmHmm, states_curve};
/// let counts = (0..400).map(|bin| f64::from(bin % 3) + if bin / 20 % 2 == 1 { 9.0 } else { 0.0 }).collect();
/// let design = Matrix::<Cpu>::zeros([400, 1]);
/// let sessions = design.to_design().with_segments(Segments::from_lengths([100; 4]))?;
/// let curve = states_curve(&GlmHmm::new(1, Poisson).restarts(3), &[1, 2], &sessions, &Matrix::from_column(counts), 2)?;
/// assert!(curve[1].mean() > curve[0].mean() + 0.5);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
pub fn states_curve<S: StateModel, B: Backend>(
    model: &GlmHmm<S>,
    n_states: &[usize],
    design: &(impl ToDesign<B> + ?Sized),
    counts: &(impl ToDesign<B> + ?Sized),
    n_folds: usize,
) -> Result<Vec<CurvePoint>, Error> {
    let data = Data::new(model.states.observations::<B>()?, design.to_design(), counts.to_design(), None)?;
    curve(model, n_states, &data, n_folds)
}

/// The same where transitions are driven: of a design, counts, and what drives.
///
/// # Errors
/// As [`states_curve`], and if what drives transitions is missing in a row.
pub fn states_curve_driven<S: StateModel, B: Backend>(
    model: &GlmHmm<S>,
    n_states: &[usize],
    (design, counts, drive): (
        &(impl ToDesign<B> + ?Sized),
        &(impl ToDesign<B> + ?Sized),
        &(impl ToDesign<B> + ?Sized),
    ),
    n_folds: usize,
) -> Result<Vec<CurvePoint>, Error> {
    let observations = model.states.observations::<B>()?;
    let data = Data::new(observations, design.to_design(), counts.to_design(), Some(drive.to_design()))?;
    curve(model, n_states, &data, n_folds)
}

fn curve<S: StateModel, B: Backend>(
    model: &GlmHmm<S>,
    n_states: &[usize],
    data: &Data<'_, B>,
    n_folds: usize,
) -> Result<Vec<CurvePoint>, Error> {
    data.design.check_whole("a curve over numbers of states")?;
    data.check_drive(model.options.drive.is_some())?;
    let n_sessions = data.sessions.len();
    if n_folds < 2 || n_folds > n_sessions {
        return Err(Error::Option {
            option: "the number of folds",
            got: n_folds as f64,
            expected: "two or more, and no more than there are sessions",
        });
    }
    n_states
        .iter()
        .map(|&n_states| {
            let mut point = CurvePoint {
                n_states,
                folds: Vec::new(),
                agreement: Vec::new(),
            };
            for fold in 0..n_folds {
                let (test, train): (Vec<usize>, Vec<usize>) = (0..n_sessions).partition(|session| session % n_folds == fold);
                let fitted = crate::fit::fit(&model.with_states(n_states), &select(data, &train)?)?;
                point.folds.push(fitted.held_out_of(data, &test)?);
                point.agreement.push(fitted.agreement());
            }
            Ok(point)
        })
        .collect()
}
