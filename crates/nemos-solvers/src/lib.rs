//! Objectives, solvers and penalties of nemos; they know no model.
