//! How sure parameters are: fits to sessions that were drawn again.

use nemos_core::{Backend, ToDesign};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::chain::paths::uniform;
use crate::fit::data::Data;
use crate::fitted::compare::select;
use crate::options::{Options, Start};
use crate::state_model::StateModel;
use crate::{Error, FittedGlmHmm, GlmHmm, HmmParameters};

/// Parameters of fits to sessions that were drawn again, with states in the order of the fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    replicates: Vec<HmmParameters>,
}

impl Bootstrap {
    /// The parameters of every replicate.
    pub fn replicates(&self) -> &[HmmParameters] {
        &self.replicates
    }

    /// The standard deviation over replicates of a number that parameters give.
    pub fn standard_error(&self, of: impl Fn(&HmmParameters) -> f64) -> f64 {
        let n = self.replicates.len() as f64;
        let values: Vec<f64> = self.replicates.iter().map(of).collect();
        let mean = values.iter().sum::<f64>() / n;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
    }
}

impl<S: StateModel> FittedGlmHmm<S> {
    /// Draws as many sessions as there are, with replacement, and fits the model to them, from the parameters of this fit; `n_replicates`
    /// times. Standard errors of the states' models alone take states for known, and are too small; these do not.
    ///
    /// # Errors
    /// [`Error::Option`] unless there are two replicates and two sessions at least; as [`GlmHmm::fit`]. If the transitions are driven:
    /// [`bootstrap_driven`](FittedGlmHmm::bootstrap_driven).
    ///
    /// # References
    /// Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 8.
    pub fn bootstrap<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        n_replicates: usize,
        seed: u64,
    ) -> Result<Bootstrap, Error> {
        let data = Data::new(
            self.specification.states.observations::<B>()?,
            design.to_design(),
            counts.to_design(),
            None,
        )?;
        self.bootstrap_of(&data, n_replicates, seed)
    }

    /// The same where transitions are driven: of a design, counts, and what drives.
    ///
    /// # Errors
    /// As [`bootstrap`](FittedGlmHmm::bootstrap), and if what drives transitions is missing in a row.
    pub fn bootstrap_driven<B: Backend>(
        &self,
        (design, counts, drive): (
            &(impl ToDesign<B> + ?Sized),
            &(impl ToDesign<B> + ?Sized),
            &(impl ToDesign<B> + ?Sized),
        ),
        n_replicates: usize,
        seed: u64,
    ) -> Result<Bootstrap, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let data = Data::new(observations, design.to_design(), counts.to_design(), Some(drive.to_design()))?;
        self.bootstrap_of(&data, n_replicates, seed)
    }

    fn bootstrap_of<B: Backend>(&self, data: &Data<'_, B>, n_replicates: usize, seed: u64) -> Result<Bootstrap, Error> {
        data.design.check_whole("a bootstrap of sessions")?;
        self.check(data)?;
        let n_sessions = data.sessions.len();
        for (option, got) in [("replicates", n_replicates), ("sessions", n_sessions)] {
            if got < 2 {
                let (got, expected) = (got as f64, "two or more");
                return Err(Error::Option { option, got, expected });
            }
        }
        let model = GlmHmm {
            options: Options {
                start: Start::Given(Box::new(self.parameters.clone())),
                restarts: 1,
                ..self.specification.options.clone()
            },
            ..self.specification.clone()
        };
        let replicates = (0..n_replicates)
            .map(|replicate| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(replicate as u64);
                let sessions: Vec<usize> = (0..n_sessions).map(|_| (uniform(&mut rng) * n_sessions as f64) as usize).collect();
                let fitted = crate::fit::fit(&model, &select(data, &sessions)?)?;
                Ok(fitted.matched_to(&self.parameters)?.parameters)
            })
            .collect::<Result<_, Error>>()?;
        Ok(Bootstrap { replicates })
    }
}
