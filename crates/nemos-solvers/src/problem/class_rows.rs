//! One problem of classes row by row: what a proof looks at that it has no minimum.

use ndarray::Array2;

/// One problem with a predictor for each class, `ηₜₖ = xₜ · wₖ + bₖ`, whose loss falls as the predictor of the label rises above those
/// of the other classes, and nears zero.
///
/// *Implementor must* leave out rows of weight zero, and give flags class after class, those of one class in the order of the features.
#[derive(Clone, Debug)]
pub struct ClassRows {
    /// `[n_rows, n_features]`: the rows that count.
    pub features: Array2<f64>,
    /// `[n_rows]`: the class of each.
    pub labels: Vec<usize>,
    /// How many classes there are.
    pub n_classes: usize,
    /// `[n_classes · n_features]`: which coefficients may move, at no cost.
    pub free: Vec<bool>,
}

impl ClassRows {
    /// Rows times classes other than their own.
    pub(crate) fn n_comparisons(&self) -> usize {
        self.labels.len() * (self.n_classes - 1)
    }

    /// Parameters that may move: coefficients, and the intercepts of all classes.
    pub(crate) fn n_free(&self) -> usize {
        self.free.iter().filter(|free| **free).count() + self.n_classes
    }
}
