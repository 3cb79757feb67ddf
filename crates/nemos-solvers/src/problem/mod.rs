//! What is minimised: objectives by columns, and what is known of them before the first step.

pub(crate) mod class_rows;
pub(crate) mod expected_curvature;
pub(crate) mod moments;
pub(crate) mod objective;
pub(crate) mod parameters;
pub(crate) mod penalized;
pub(crate) mod row_problem;
