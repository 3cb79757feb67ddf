//! One program in many processes, each with rows of its own.

mod message;
mod network;
mod part;
mod peers;
mod processes;
mod share;
mod tree;

pub use part::Part;
pub use peers::Peers;
pub use processes::World;
pub(crate) use share::add;
pub use share::{Piece, Share};
