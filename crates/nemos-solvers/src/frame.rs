//! Where a descent takes its steps.

use ndarray::Array2;

use crate::Parameters;
use crate::centred::Centred;
use crate::space::Space;

/// A change of variables: whitened for smooth objectives, or centred, where each coefficient is still its own.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Whitened(Space),
    Centred(Centred),
}

impl Frame {
    pub(crate) fn parameters_at(&self, points: &Parameters, problems: &[usize]) -> Parameters {
        match self {
            Frame::Whitened(space) => space.parameters_at(points, problems),
            Frame::Centred(space) => space.parameters_at(points),
        }
    }

    pub(crate) fn point_of(&self, parameters: &Parameters, problems: &[usize]) -> Parameters {
        match self {
            Frame::Whitened(space) => space.point_of(parameters, problems),
            Frame::Centred(space) => space.point_of(parameters),
        }
    }

    pub(crate) fn gradient(&self, gradient: Parameters, problems: &[usize]) -> Parameters {
        match self {
            Frame::Whitened(space) => space.gradient(gradient, problems),
            Frame::Centred(space) => space.gradient(gradient, problems),
        }
    }

    pub(crate) fn hessian(&self, hessian: Array2<f64>, problem: usize) -> Array2<f64> {
        match self {
            Frame::Whitened(space) => space.hessian(&hessian, problem),
            Frame::Centred(space) => space.hessian(hessian),
        }
    }

    pub(crate) fn rank(&self, problem: usize) -> usize {
        match self {
            Frame::Whitened(space) => space.rank(problem),
            Frame::Centred(space) => space.rank(problem),
        }
    }

    pub(crate) fn least_norm(&self, parameters: &mut Parameters) {
        match self {
            Frame::Whitened(space) => space.least_norm(parameters),
            Frame::Centred(_) => {}
        }
    }
}
