//! Laws of inference, what it refuses, and formulas that hold to the last digit.

mod cases;
mod coverage;
mod formulas;
mod laws;
mod precision;
mod refusals;
