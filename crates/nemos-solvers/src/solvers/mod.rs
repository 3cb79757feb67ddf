//! The solvers: settings, and the directions or steps that they begin.

pub(crate) mod auto;
pub(crate) mod bfgs;
pub(crate) mod gradient_descent;
pub(crate) mod lbfgs;
pub(crate) mod newton;
pub(crate) mod nonlinear_cg;
pub(crate) mod proximal_newton;
pub(crate) mod svrg;
