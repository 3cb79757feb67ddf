//! Cases in several processes: each takes its share of the rows.

use std::sync::{PoisonError, RwLock};

use nemos::core::{Backend, Design, Matrix, World};

/// The processes; one that has all rows where there is nothing.
static WORLD: RwLock<Option<World>> = RwLock::new(None);

/// Runs what follows in these processes, or in one again.
#[allow(dead_code, reason = "cases run in one process under `cargo test --test golden`")]
pub(crate) fn run_in(world: Option<World>) {
    *WORLD.write().unwrap_or_else(PoisonError::into_inner) = world;
}

/// What this process has of a design and counts.
pub(crate) fn shared<B: Backend>(design: &Matrix<B>, counts: &Matrix<B>) -> Result<(Design<'static, B>, Matrix<B>), String> {
    let world = WORLD.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(world) = world else {
        return Ok((design.clone().into(), counts.clone()));
    };
    let share = world.share(design.dims()[0]);
    let of = |values: &Matrix<B>| values.rows(share.rows());
    let both = of(design).and_then(|design| Ok((share.design(design)?, of(counts)?)));
    both.map_err(|error| error.to_string())
}
