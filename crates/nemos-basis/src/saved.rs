//! How the parts of a basis are saved.

use serde::{Deserialize, Serialize};

use crate::Basis;
use crate::basis::{Functions, Invalid, Node};

/// A [`Node`] whose sums and products are lists, so that a long sum is no deep file.
#[derive(Serialize, Deserialize)]
pub(crate) enum Saved {
    Functions(Functions),
    Sum(Vec<Basis>),
    Product(Vec<Basis>),
    Invalid(Invalid),
}

impl From<Node> for Saved {
    fn from(node: Node) -> Self {
        match node {
            Node::Functions(functions) => Saved::Functions(functions),
            Node::Invalid(invalid) => Saved::Invalid(invalid),
            Node::Sum(left, right) => Saved::Sum(parts(*left, *right, |node| matches!(node, Node::Sum(..)))),
            Node::Product(left, right) => Saved::Product(parts(*left, *right, |node| matches!(node, Node::Product(..)))),
        }
    }
}

impl TryFrom<Saved> for Node {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        match saved {
            Saved::Functions(functions) => Ok(Node::Functions(functions)),
            Saved::Invalid(invalid) => Ok(Node::Invalid(invalid)),
            Saved::Sum(parts) => joined(parts, Node::Sum),
            Saved::Product(parts) => joined(parts, Node::Product),
        }
    }
}

/// The parts of `(a + b) + c` from left to right; what has a name, or is not of the kind, is one part.
fn parts(left: Basis, right: Basis, is_of_kind: impl Fn(&Node) -> bool) -> Vec<Basis> {
    let (mut rest, mut parts) = (left, vec![right]);
    loop {
        let splits = rest.label.is_none() && is_of_kind(&rest.node);
        match rest.node {
            Node::Sum(left, right) | Node::Product(left, right) if splits => {
                parts.push(*right);
                rest = *left;
            }
            node => {
                parts.push(Basis { label: rest.label, node });
                break;
            }
        }
    }
    parts.reverse();
    parts
}

fn joined(parts: Vec<Basis>, join: fn(Box<Basis>, Box<Basis>) -> Node) -> Result<Node, &'static str> {
    let mut parts = parts.into_iter();
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
        return Err("a sum or a product of bases has at least two parts");
    };
    let pair = join(Box::new(first), Box::new(second));
    Ok(parts.fold(pair, |left, right| join(Box::new(Basis::of(left)), Box::new(right))))
}
