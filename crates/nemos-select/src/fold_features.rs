//! The features of a pipeline on the rows of a search: what comes from data comes from the training rows of each fold.

use nemos_basis::{BasisDesign, Inputs};
use nemos_core::{Backend, Design, Matrix, Names, ToDesign};

use crate::batch::{self, Piece};
use crate::searchable::Data;
use crate::steps::Learned;
use crate::{Error, Pipeline, Split};

/// Inputs that are designs already.
pub(crate) struct Ready<'s, 'a, B: Backend>(pub(crate) &'s [Design<'a, B>]);

impl<'a, B: Backend> Inputs<'a, B> for Ready<'_, 'a, B> {
    type Output = ();

    fn designs(&self) -> Vec<Design<'a, B>> {
        self.0.to_vec()
    }

    fn wrap(&self, _values: Matrix<B>, _names: Names) {}
}
/// The features of a pipeline on the rows of a search.
pub(crate) enum FoldFeatures<'a, B: Backend> {
    /// The same in all folds: they are one batch.
    Shared(BasisDesign<'a, B>),
    /// Those of training rows and those of test rows, in each fold.
    OfFolds(Vec<OfFold<'a, B>>),
}

pub(crate) struct OfFold<'a, B: Backend> {
    train: BasisDesign<'a, B>,
    test: BasisDesign<'a, B>,
    steps: Learned,
}

impl<'a, B: Backend> FoldFeatures<'a, B> {
    pub(crate) fn new<M>(pipeline: &Pipeline<M>, data: &Data<'a, B>) -> Result<Self, Error> {
        let inputs = pipeline.routes.route(&pipeline.basis, &data.inputs)?;
        if pipeline.basis.is_rowwise() && pipeline.steps.is_empty() {
            return Ok(FoldFeatures::Shared(pipeline.basis.design(Ready(&inputs))?));
        }
        let of_fold = |split: &Split| {
            let rows = |rows: &[usize]| inputs.iter().map(|input| input.select_rows(rows)).collect::<Result<Vec<_>, _>>();
            let (train, test) = (rows(split.train())?, rows(split.test())?);
            let basis = pipeline.learn(&train)?;
            let (train, test) = (basis.design(Ready(&train))?, basis.design(Ready(&test))?);
            let steps = pipeline.steps.learn(&train.to_design())?;
            Ok(OfFold { steps, train, test })
        };
        data.splits
            .iter()
            .map(of_fold)
            .collect::<Result<_, Error>>()
            .map(FoldFeatures::OfFolds)
    }

    pub(crate) fn pieces<'s>(&'s self, data: &'s Data<'_, B>) -> Result<Vec<Piece<'s, B>>, Error> {
        match self {
            FoldFeatures::Shared(features) => batch::pieces(&features.to_design(), &data.counts, &data.splits),
            FoldFeatures::OfFolds(folds) => {
                let piece = |(fold, of_fold): (usize, &'s OfFold<'a, B>)| {
                    let split = data.splits.get(fold);
                    let design = of_fold.steps.apply(&of_fold.train.to_design())?;
                    let test = of_fold.steps.apply(&of_fold.test.to_design())?;
                    Ok(Piece {
                        folds: vec![fold],
                        design,
                        counts: data.counts.select_rows(split.train())?,
                        classes: None,
                        tests: vec![(test, data.counts.select_rows(split.test())?)],
                    })
                };
                folds.iter().enumerate().map(piece).collect()
            }
        }
    }
}
