//! What a fit will take: told before it starts, and kept to.

use std::fmt;

use ndarray::Array2;
use nemos_core::{Backend, Rows, give_back_memory};

use crate::Error;
use crate::fit::groups::{Group, by_overlap, together};
use crate::fit::room::{Room, Sizes, usual_rows};
use crate::fit::task::{Options, Task};

/// What a fit will take, told before it starts: memory, and how the work is cut so that it takes no more.
///
/// Neurons are fitted a group at a time. Those of a group share passes over the data; groups share nothing. There is one group,
/// unless a [limit](crate::PopulationGlm::memory_limit) is given, or a mask lets neurons use so few features that it saves most of the
/// work to read, for each group, those alone.
///
/// The memory is what a fit takes beside what is there when it starts: the data, and what products of matrices set aside at the first
/// fit of a program. It counts ten steps of each neuron, which L-BFGS remembers; fits that end after fewer take `16 (p + 1)` bytes less for
/// each. Neurons that take long may take more, if no limit is given: `8 p²` bytes each, and a sample of the rows. A fit takes at most a
/// tenth more than is announced, or a megabyte, and seldom a fifth less: how many sums wait for each other is a matter of chance.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
/// let (design, counts) = (Matrix::<Cpu>::zeros([10_000, 100]), Matrix::zeros([10_000, 50]));
/// let model = PopulationGlm::new(Poisson);
/// let plan = model.plan(&design, &counts)?;
/// let half = model.memory_limit(0.5 * plan.bytes()).plan(&design, &counts)?;
/// assert!(plan.n_groups() == 1 && half.n_groups() > 1 && half.bytes() <= 0.5 * plan.bytes());
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FitPlan {
    pub(crate) groups: Vec<Group>,
    /// What the fit of each group may use.
    pub(crate) rooms: Vec<Room>,
    n_neurons: usize,
    /// Of the group that takes most.
    group_bytes: f64,
    /// Of what all groups share.
    shared_bytes: f64,
    /// Of the largest list of numbers that is made for each block of rows.
    block_bytes: usize,
}

// Bytes of the pages at both ends of what a neuron uses of its column.
const PAGES: f64 = 8192.0;
// Below this, in bytes, it does not matter what allocators keep.
const LARGE: f64 = 4e6;
// Blocks are not cut shorter: what is read for each, whatever its length, would be most of the work.
const SHORTEST: usize = 32;

impl FitPlan {
    /// Bytes that the fit will take at a time, beside what there is already.
    pub fn bytes(&self) -> f64 {
        self.group_bytes + self.shared_bytes
    }

    /// Gives back memory that is free, where there is a limit to keep to: what is given back has to be asked for again, which makes
    /// fits of many features twice as slow. Blocks are made again and again: these are kept.
    pub(crate) fn give_back(&self, options: &Options) {
        if options.memory_limit.is_some() && self.group_bytes > LARGE {
            give_back_memory(self.block_bytes + (64 << 10));
        }
    }

    /// Takes in a group of this room.
    fn add(&mut self, group: Group, room: Room, sizes: &Sizes) {
        self.groups.push(group);
        self.rooms.push(room);
        self.group_bytes = self.group_bytes.max(sizes.bytes(room.block_rows));
        let widest = sizes.n_features.max(sizes.n_counts).max(sizes.n_neurons * sizes.n_predictors);
        self.block_bytes = self.block_bytes.max(room.block_rows * widest * sizes.number);
    }

    /// Groups of neurons that are fitted one after the other.
    pub fn n_groups(&self) -> usize {
        self.groups.len()
    }

    /// Neurons of the largest group.
    pub fn neurons_at_a_time(&self) -> usize {
        self.groups.iter().map(|group| group.neurons.len()).max().unwrap_or(0)
    }

    /// Rows that are read together, in the group where these are fewest.
    pub fn block_rows(&self) -> usize {
        self.rooms.iter().map(|room| room.block_rows).min().unwrap_or(0)
    }
}

impl fmt::Display for FitPlan {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n_groups, largest) = (self.n_groups(), self.neurons_at_a_time());
        match n_groups {
            1 => write!(to, "{} neurons together", self.n_neurons)?,
            _ => write!(to, "{} neurons in {n_groups} groups of {largest} or fewer", self.n_neurons)?,
        }
        write!(to, ", {} rows at a time, {:.1} MB", self.block_rows(), self.bytes() / 1e6)
    }
}

impl<B: Backend> Task<'_, B> {
    fn sizes(&self, options: &Options, group: &Group, free: Option<&Array2<bool>>) -> Sizes {
        let n_features = self.design.n_columns();
        let some_neurons = group.neurons.len() < self.n_neurons();
        let (n_predictors, n_targets) = (self.model.n_predictors(), self.model.n_targets());
        Sizes {
            // The same for all processes that share the rows: each holds all of them for a proof.
            n_rows: self.design.n_rows_of_all(),
            n_features: group.features.as_ref().map_or(n_features, Vec::len),
            most_features: group.most_features(free, n_features),
            n_neurons: group.neurons.len(),
            n_predictors,
            n_counts: group.neurons.len() * n_targets,
            n_beside: [self.design.weights(), self.design.offset()]
                .into_iter()
                .flatten()
                .filter(|beside| beside.dims()[1] > 1)
                .count()
                * group.neurons.len(),
            is_part: some_neurons || group.features.is_some(),
            counts_are_copied: some_neurons || !self.counts.is_held(),
            n_threads: if B::HOST { rayon::current_num_threads() } else { 1 },
            number: B::DTYPE.size(),
            has_mask: free.is_some(),
            has_ridge: options.regularizer.has_ridge(),
            is_smooth: options.regularizer.is_smooth(),
        }
    }

    /// How the work is cut, and the memory that it takes.
    pub(crate) fn plan(&self, options: &Options) -> Result<FitPlan, Error> {
        let (n_features, n_neurons) = (self.design.n_columns(), self.n_neurons());
        let free = self.free(options)?;
        let free = free.as_ref();
        let may_leave_out = !matches!(options.regularizer, nemos_solvers::Regularizer::GroupLasso { .. });
        let groups = match free.filter(|_| may_leave_out) {
            Some(free) => by_overlap(free, n_features),
            None => vec![together(n_neurons)],
        };
        // A group of all is fitted as it is.
        let is_one = match (groups.as_slice(), options.memory_limit) {
            ([only], None) => only.features.is_none(),
            ([only], Some(limit)) if only.features.is_none() => {
                let sizes = self.sizes(options, only, free);
                sizes.room(usual_rows::<B>(&sizes), limit).is_some()
            }
            _ => false,
        };
        let mut plan = FitPlan {
            groups: Vec::new(),
            rooms: Vec::new(),
            n_neurons,
            group_bytes: 0.0,
            shared_bytes: if is_one { 0.0 } else { self.shared_bytes(&groups, free) },
            block_bytes: 0,
        };
        let Some(limit) = options.memory_limit else {
            for group in groups {
                let sizes = self.sizes(options, &group, free);
                plan.add(group, Room::unlimited(usual_rows::<B>(&sizes)), &sizes);
            }
            return Ok(plan);
        };
        let left = limit - plan.shared_bytes;
        let mut least = 0.0_f64;
        for group in groups {
            least = least.max(self.cut(options, (group, free), left, &mut plan));
        }
        if least > 0.0 {
            let least = least + plan.shared_bytes;
            return Err(Error::MemoryLimit { limit, least });
        }
        Ok(plan)
    }

    /// Bytes of what several groups share: masks, and the result, of which a neuron that uses few features touches few pages.
    fn shared_bytes(&self, groups: &[Group], free: Option<&Array2<bool>>) -> f64 {
        let n_features = self.design.n_columns();
        let columns = (self.n_neurons() * self.model.n_predictors()) as f64;
        let most = groups.iter().map(|group| group.most_features(free, n_features)).max().unwrap_or(0) as f64;
        let masks = if free.is_some() { 3.0 * columns * n_features as f64 } else { 0.0 };
        masks + columns * (8.0 * (most + 1.0) + PAGES).min(8.0 * (n_features + 1) as f64)
    }

    /// Cuts a group in halves until each part fits into so many bytes, and the blocks of single neurons then. The bytes that a neuron
    /// takes at least for which even the shortest blocks are too long; zero where there is none.
    fn cut(&self, options: &Options, (group, free): (Group, Option<&Array2<bool>>), limit: f64, plan: &mut FitPlan) -> f64 {
        let mut least = 0.0_f64;
        let rows_of_whole = usual_rows::<B>(&self.sizes(options, &group, free));
        let mut parts = vec![group];
        while let Some(part) = parts.pop() {
            let sizes = self.sizes(options, &part, free);
            let block_rows = usual_rows::<B>(&sizes);
            // Blocks of fewer neurons are longer, and may take what fewer neurons save: those of the whole group are short enough.
            let fits = |rows: usize| sizes.room(rows, limit);
            if let Some(room) = fits(block_rows).or_else(|| fits(rows_of_whole.min(block_rows))) {
                plan.add(part, room, &sizes);
            } else if part.neurons.len() > 1 {
                let mut halves = part.split(2, free, self.design.n_columns());
                halves.reverse();
                parts.extend(halves);
            } else {
                let halves = std::iter::successors(Some(block_rows), |rows| Some(rows / 2));
                let halves = halves.take_while(|rows| *rows > SHORTEST).chain([SHORTEST.min(block_rows)]);
                match halves.clone().find_map(|rows| sizes.room(rows, limit)) {
                    Some(room) => plan.add(part, room, &sizes),
                    // Shorter blocks are more, and of more shards more sums may wait.
                    None => least = least.max(halves.map(|rows| sizes.bytes(rows)).fold(f64::INFINITY, f64::min)),
                }
            }
        }
        least
    }
}
