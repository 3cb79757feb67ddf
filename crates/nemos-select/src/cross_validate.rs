//! One specification on folds, and on growing training rows.

use nemos_basis::Inputs;
use nemos_core::{Backend, ToDesign};

use crate::batch::Evaluated;
use crate::row::Row;
use crate::searchable::{Data, Searchable, data};
use crate::splits::Splits;
use crate::{Error, Folds, Scoring, Settings};

/// Fits a specification on the training rows of every fold and scores it on the test rows.
///
/// # Errors
/// If the folds do not suit the rows, or the specification cannot be fitted or scored.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson, Score};
/// use nemos_select::{Folds, cross_validate};
///
/// let stimulus = Matrix::<Cpu>::from_column((0..100).map(|bin| f64::from(bin * 7 % 11) / 11.0).collect());
/// let counts = Matrix::from_column((0..100).map(|bin| f64::from(bin * 7 % 11 / 3)).collect());
/// let row = cross_validate(&Glm::new(Poisson), &Folds::k(5), Score::Cohen, &stimulus, &counts)?;
/// assert!(row.scores().len() == 5 && row.mean() > 0.5 && row.std_error() < 0.1);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[doc(alias = "cross_val_score")]
pub fn cross_validate<'a, S: Searchable, B: Backend>(
    specification: &S,
    folds: &Folds,
    scoring: impl Into<Scoring>,
    inputs: impl Inputs<'a, B>,
    counts: &'a (impl ToDesign<B> + ?Sized),
) -> Result<Row, Error> {
    let data = data(inputs.designs(), counts.to_design(), folds)?;
    of_one(specification, &data, &scoring.into())
}

fn of_one<S: Searchable, B: Backend>(specification: &S, data: &Data<'_, B>, scoring: &Scoring) -> Result<Row, Error> {
    let mut found: Option<Evaluated> = None;
    S::evaluate(std::slice::from_ref(specification), data, scoring, &mut |mut evaluated| {
        found = evaluated.pop().map(|(_, evaluated)| evaluated);
        Ok(())
    })?;
    let evaluated = found.ok_or(Error::NoCandidates)??;
    Ok(Row::new(Settings::default(), specification.strength(), &Ok(evaluated)))
}

/// How scores grow with the rows that are trained on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LearningPoint {
    /// The rows that were trained on: the mean over folds.
    pub n_rows: f64,
    /// Scores on the rows that were trained on.
    pub train: Row,
    /// Scores on the test rows.
    pub test: Row,
}

/// Fits a specification on the first rows of the training rows of every fold, some share of them after the other, and scores it on
/// these and on all test rows. Where both curves have met, more data will not help; where they are apart, they will, or a
/// stronger penalty.
///
/// # Errors
/// [`Error::Option`] unless shares are above zero and at most one, and as [`cross_validate`].
pub fn learning_curve<'a, S: Searchable, B: Backend>(
    specification: &S,
    shares: &[f64],
    (folds, scoring): (&Folds, &Scoring),
    inputs: impl Inputs<'a, B>,
    counts: &'a (impl ToDesign<B> + ?Sized),
) -> Result<Vec<LearningPoint>, Error> {
    let whole = data(inputs.designs(), counts.to_design(), folds)?;
    let point = |&share: &f64| {
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::Option {
                option: "share of the training rows",
                got: share,
                expected: "above zero and at most one",
            });
        }
        let splits = whole.splits.with_first(share)?;
        let with = |splits: Splits| Data {
            inputs: whole.inputs.clone(),
            counts: whole.counts.clone(),
            splits,
        };
        Ok(LearningPoint {
            n_rows: splits.iter().map(|split| split.train().len() as f64).sum::<f64>() / splits.len() as f64,
            train: of_one(specification, &with(splits.on_training_rows()), scoring)?,
            test: of_one(specification, &with(splits), scoring)?,
        })
    };
    shares.iter().map(point).collect()
}
