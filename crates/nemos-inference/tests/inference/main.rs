//! Laws of inference, what it refuses, and formulas that hold to the last digit.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod classes;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod formulas;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod maps;
#[cfg(test)]
mod precision;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod refusals;
