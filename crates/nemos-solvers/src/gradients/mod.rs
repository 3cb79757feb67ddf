//! Methods of many cheap steps along gradients: plain, accelerated, variance-reduced; with a proximal map or without.

pub(crate) mod gradient_steps;
pub(crate) mod monitor;
pub(crate) mod optimality;
pub(crate) mod step_length;
pub(crate) mod variance_reduced;
