//! How do I minimise in my own way? A heavy ball (momentum) as a solver, against the one that `fit` picks.

use nemos::prelude::*;
use nemos::solvers::{Error, Objective, Order, Parameters, Progress, Request, Solver};

/// `v ← share · v − length · gradient`, `w ← w + v`
struct HeavyBall {
    length: f64,
    share: f64,
}

impl Solver for HeavyBall {
    /// The velocity of every column, and how far it is.
    type State = (Parameters, Vec<Progress>);

    fn init(&self, _objective: &dyn Objective, start: &Parameters) -> Result<Self::State, Error> {
        let velocity = Parameters::zeros(start.n_parameters(), start.n_problems());
        Ok((velocity, vec![Progress::default(); start.n_problems()]))
    }

    fn step(&self, objective: &dyn Objective, mut at: Parameters, mut state: Self::State) -> Result<(Parameters, Self::State), Error> {
        // A column that is done is left alone, and costs nothing.
        let on_their_way: Vec<usize> = (0..at.n_problems()).filter(|&j| state.1[j].status.is_none()).collect();
        let (columns, rows, order) = (&on_their_way[..], None, Order::Gradient);
        let evaluation = objective.evaluate(&at.select(columns), Request { columns, rows, order })?;
        for (&column, gradient) in columns.iter().zip(evaluation.gradient.columns()) {
            let progress = &mut state.1[column];
            progress.steps += 1;
            progress.gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            progress.status = (progress.gradient_norm < 1e-8).then_some(Status::Converged);
            let velocity = state.0.column_mut(column);
            for ((v, g), w) in velocity.iter_mut().zip(gradient).zip(at.column_mut(column)) {
                *v = self.share * *v - self.length * g;
                *w += *v;
            }
        }
        Ok((at, state))
    }

    fn progress(&self, state: &Self::State) -> Vec<Progress> {
        state.1.clone()
    }

    fn name(&self, _state: &Self::State) -> &'static str {
        "heavy ball"
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stimulus: Vec<f64> = (0..2000).map(|bin| (0.03 * f64::from(bin)).sin()).collect();
    let count = |(bin, x): (usize, &f64)| if *x > 0.2 { (bin * bin % 7 % 3) as f64 } else { 0.0 };
    let counts = Matrix::<Cpu>::from_column(stimulus.iter().enumerate().map(count).collect());
    let design = BSpline::new(6).compute_features(&Matrix::from_column(stimulus))?;
    let glm = Glm::new(Poisson).regularizer(Regularizer::Ridge(0.01.into()));
    let heavy_ball = HeavyBall { length: 0.3, share: 0.9 };
    let (picked, rolled) = (glm.fit(&design, &counts)?, glm.fit_with(&heavy_ball, &design, &counts)?);
    println!("Auto took {} steps: {:.6?}", picked.outcome().steps, picked.coef());
    println!("The heavy ball took {}: {:.6?}", rolled.outcome().steps, rolled.coef());
    Ok(())
}
