//! How do I minimise in my own way? A heavy ball (momentum), against the solver that `fit` picks.

use nemos::prelude::*;
use nemos::solvers::{Descent, Direction, Error, Objective, Parameters, Solver, State, Stopping};

/// `step ← share · last step − gradient`, where the expected curvature is one in every direction
#[derive(Clone, Debug)]
struct HeavyBall {
    share: f64,
    last: Vec<f64>,
}

impl Direction for HeavyBall {
    fn direction(&mut self, _: &[f64], gradient: &[f64], _: Option<&ndarray::Array2<f64>>) -> Vec<f64> {
        self.last.resize(gradient.len(), 0.0);
        gradient.iter().zip(&self.last).map(|(g, last)| self.share * last - g).collect()
    }

    fn update(&mut self, step: &[f64], _change: &[f64]) {
        self.last = step.to_vec();
    }

    fn reset(&mut self) -> bool {
        let rolled = self.last.iter().any(|x| *x != 0.0);
        self.last.clear();
        rolled
    }
}

impl Solver for HeavyBall {
    fn name(&self) -> &'static str {
        "heavy ball"
    }

    fn begin(
        &self,
        objective: &dyn Objective,
        start: &Parameters,
        stopping: Stopping,
    ) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| self.clone()).map(State::new)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stimulus: Vec<f64> = (0..2000).map(|bin| (0.03 * f64::from(bin)).sin()).collect();
    let count = |(bin, x): (usize, &f64)| if *x > 0.2 { (bin * bin % 7 % 3) as f64 } else { 0.0 };
    let counts = Matrix::<Cpu>::from_column(stimulus.iter().enumerate().map(count).collect());
    let design = BSpline::new(6).compute_features(&Matrix::from_column(stimulus))?;
    let glm = Glm::new(Poisson).regularizer(ridge(0.01));
    let heavy_ball = HeavyBall { share: 0.5, last: Vec::new() };
    let (picked, rolled) = (glm.fit(&design, &counts)?, glm.fit_with(&heavy_ball, &design, &counts)?);
    println!("Auto took {} steps: {:.6?}", picked.outcome().steps, picked.coef());
    println!("The heavy ball took {}: {:.6?}", rolled.outcome().steps, rolled.coef());
    // A solver that says nothing of penalties handles the smooth ones; it is never asked to drop one.
    if let Err(why) = glm.regularizer(lasso(0.01)).fit_with(&heavy_ball, &design, &counts) {
        println!("Lasso: {why}");
    }
    Ok(())
}
