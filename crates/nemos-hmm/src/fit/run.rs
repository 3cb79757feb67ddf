//! One run of EM: its parameters, and whether they are a gain.

use crate::fit::accelerate::Trail;
use crate::fit::expectation::Expected;
use crate::{Finding, HmmParameters, HmmStatus};

/// One run from one start.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) parameters: HmmParameters,
    /// Of the parameters.
    pub(crate) objective: f64,
    pub(crate) log_likelihood: f64,
    /// The objective at the start, and after every iteration.
    pub(crate) history: Vec<f64>,
    pub(crate) status: Option<HmmStatus>,
    pub(crate) findings: Vec<Finding>,
    /// Models that the last maximisation still moved by much: a finding where nothing is left to gain, and on the way nothing.
    pub(crate) moving: Vec<Finding>,
    /// Expectations at the parameters.
    pub(crate) expected: Expected,
    /// Where the last iteration began, while it is not known to be a gain.
    pub(crate) before: Option<HmmParameters>,
    /// Where it led.
    pub(crate) proposed: Option<HmmParameters>,
    pub(crate) trail: Trail,
    /// Where EM alone would have gone, while it is not known whether going further is a gain.
    pub(crate) plain: Option<HmmParameters>,
    /// What the last step of EM gained.
    rise: f64,
    share: f64,
    /// Iterations in a row with too little to gain.
    quiet: usize,
    /// Whether the parameters changed since the last expectation.
    pub(crate) is_new: bool,
}

impl Run {
    pub(crate) fn new(parameters: HmmParameters) -> Self {
        Run {
            parameters,
            objective: f64::NEG_INFINITY,
            log_likelihood: f64::NEG_INFINITY,
            history: Vec::new(),
            status: None,
            findings: Vec::new(),
            moving: Vec::new(),
            expected: Expected::default(),
            before: None,
            proposed: None,
            trail: Trail::default(),
            plain: None,
            rise: 0.0,
            share: 1.0,
            quiet: 0,
            is_new: true,
        }
    }

    pub(crate) fn iterations(&self) -> usize {
        self.history.len().saturating_sub(1)
    }

    /// Whether findings say that it is no fit to keep.
    pub(crate) fn is_degenerate(&self) -> bool {
        self.findings.iter().any(Finding::is_degenerate)
    }

    /// Takes in what the parameters are worth. Where that is less than before, by more than the relative error `resolution`, a shorter step is to
    /// be tried.
    pub(crate) fn take(&mut self, objective: f64, log_likelihood: f64, (tolerance, resolution): (f64, f64)) {
        let last = self.history.last().copied();
        if let (Some(last), Some(before)) = (last, &self.before)
            && (objective.is_nan() || objective < last - resolution.max(1e-10) * last.abs())
        {
            if let Some(plain) = self.plain.take() {
                self.trail.judge(false);
                self.parameters = plain;
                return;
            }
            self.share *= 0.5;
            if self.share < 1e-4 {
                self.parameters = before.clone();
                self.status = Some(HmmStatus::Fell);
            } else if let Some(proposed) = &self.proposed {
                self.parameters = before.towards(proposed, self.share);
            }
            return;
        }
        let went_further = self.plain.take().is_some();
        if went_further {
            self.trail.judge(true);
        }
        self.share = 1.0;
        self.is_new = false;
        self.history.push(objective);
        (self.objective, self.log_likelihood) = (objective, log_likelihood);
        if let Some(last) = last {
            self.judge(objective - last, went_further, tolerance.max(resolution * objective.abs()));
        }
    }

    /// Ends the run where too little is to be gained in two iterations running: what steps of EM gain shrinks by a ratio.
    fn judge(&mut self, rise: f64, went_further: bool, tolerance: f64) {
        let before = self.rise;
        if !went_further {
            self.rise = rise;
        }
        let of_rises = if before > 0.0 { self.rise / before } else { 0.0 };
        let ratio = self.trail.ratio().map_or(of_rises, |ratio| ratio * ratio).clamp(0.0, 0.999);
        let to_come = self.rise.max(0.0) * ratio / (1.0 - ratio);
        // The first rise has none to be compared with.
        let is_quiet = self.history.len() > 2 && to_come < tolerance;
        self.quiet = if is_quiet { self.quiet + 1 } else { 0 };
        if self.quiet >= 2 {
            self.status = Some(HmmStatus::Converged);
        }
    }
}
