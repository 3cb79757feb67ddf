//! The families as one type.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::spec::Spec;
use crate::{
    BSpline, Category, Custom, CyclicBSpline, Fourier, History, Identity, MSpline, OrthogonalizedExponential, RaisedCosineLinear,
    RaisedCosineLog, Zero,
};

/// Any family.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    BSpline(BSpline),
    CyclicBSpline(CyclicBSpline),
    MSpline(MSpline),
    RaisedCosineLinear(RaisedCosineLinear),
    RaisedCosineLog(RaisedCosineLog),
    OrthogonalizedExponential(OrthogonalizedExponential),
    Fourier(Fourier),
    Identity(Identity),
    History(History),
    Category(Category),
    Zero(Zero),
    Custom(Custom),
}

/// Names that no part of another family may be labelled with.
pub(crate) const FAMILY_NAMES: [&str; 12] = [
    "BSpline",
    "CyclicBSpline",
    "MSpline",
    "RaisedCosineLinear",
    "RaisedCosineLog",
    "OrthogonalizedExponential",
    "Fourier",
    "Identity",
    "History",
    "Category",
    "Zero",
    "Custom",
];

impl Kind {
    pub(crate) fn spec(&self) -> &dyn Spec {
        match self {
            Kind::BSpline(family) => family,
            Kind::CyclicBSpline(family) => family,
            Kind::MSpline(family) => family,
            Kind::RaisedCosineLinear(family) => family,
            Kind::RaisedCosineLog(family) => family,
            Kind::OrthogonalizedExponential(family) => family,
            Kind::Fourier(family) => family,
            Kind::Identity(family) => family,
            Kind::History(family) => family,
            Kind::Category(family) => family,
            Kind::Zero(family) => family,
            Kind::Custom(family) => family,
        }
    }

    pub(crate) fn spec_mut(&mut self) -> &mut dyn Spec {
        match self {
            Kind::BSpline(family) => family,
            Kind::CyclicBSpline(family) => family,
            Kind::MSpline(family) => family,
            Kind::RaisedCosineLinear(family) => family,
            Kind::RaisedCosineLog(family) => family,
            Kind::OrthogonalizedExponential(family) => family,
            Kind::Fourier(family) => family,
            Kind::Identity(family) => family,
            Kind::History(family) => family,
            Kind::Category(family) => family,
            Kind::Zero(family) => family,
            Kind::Custom(family) => family,
        }
    }

    /// The functions in tensor operations: `[n, n_inputs]` samples give `[n, n_functions]`. None for those that are made on the host.
    pub(crate) fn tensor<T: BurnBackend>(&self, samples: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        match self {
            Kind::BSpline(family) => Some(family.tensor(samples)),
            Kind::CyclicBSpline(family) => Some(family.tensor(samples)),
            Kind::MSpline(family) => Some(family.tensor(samples)),
            Kind::RaisedCosineLinear(family) => Some(family.tensor(samples)),
            Kind::RaisedCosineLog(family) => Some(family.tensor(samples)),
            Kind::Fourier(family) => Some(family.tensor(samples)),
            Kind::Identity(family) => Some(family.tensor(samples)),
            Kind::Category(family) => Some(family.tensor(samples)),
            Kind::OrthogonalizedExponential(_) | Kind::History(_) | Kind::Zero(_) | Kind::Custom(_) => None,
        }
    }

    /// Values that each function gives for one sample.
    pub(crate) fn n_values(&self) -> usize {
        match self {
            Kind::Custom(custom) => custom.n_values(),
            _ => 1,
        }
    }
}
