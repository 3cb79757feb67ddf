//! Observation models, links and generalized linear models of nemos.
