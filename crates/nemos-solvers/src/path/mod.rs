//! One objective under many penalties, each solve from where the last one ended.

pub(crate) mod each;
pub(crate) mod nearly_known;
pub(crate) mod ridges;
