//! Golden cases, gradient checks and a zoo of problems for the tests of nemos.
