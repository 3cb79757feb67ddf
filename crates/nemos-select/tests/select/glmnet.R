# Paths of glmnet without standardization, as cases: `Rscript glmnet.R > glmnet.json` (R 4.2, glmnet 4.1).
# The Gaussian loss of glmnet is half the mean squared error; that of this crate is the whole.
library(glmnet)
set.seed(16)
n <- 200; p <- 20
x <- matrix(rnorm(n * p), n, p)
for (j in 2:p) x[, j] <- 0.5 * x[, j - 1] + sqrt(0.75) * x[, j]
x <- round(x, 6)
w <- c(0.8, 0, -0.6, 0, 0, 0.4, rep(0, p - 6))
eta <- as.vector(x %*% w) - 0.3
counts <- list(poisson = rpois(n, exp(eta)), binomial = rbinom(n, 1, plogis(eta)), gaussian = round(eta + rnorm(n), 6))
number <- function(v) sprintf("%.17g", v)
row <- function(v) paste0("[", paste(number(v), collapse = ","), "]")
rows <- function(m) paste0("[", paste(apply(m, 1, row), collapse = ","), "]")
cases <- c()
for (case in list(c("poisson", 1), c("binomial", 1), c("gaussian", 1), c("poisson", 0.5))) {
  family <- case[1]; alpha <- as.numeric(case[2]); y <- counts[[family]]
  null <- glm(y ~ 1, family = family)
  highest <- max(abs(crossprod(x, y - fitted(null)))) / n / alpha
  lambda <- highest * 10^seq(0, -2.5, length.out = 50)
  fit <- glmnet(x, y, family = family, alpha = alpha, lambda = lambda, standardize = FALSE, thresh = 1e-16, maxit = 1e7)
  stopifnot(length(fit$lambda) == 50)
  cases <- c(cases, paste0('{"family":"', family, '","alpha":', number(alpha), ',"y":', row(y), ',"lambda":', row(fit$lambda),
    ',"intercept":', row(fit$a0), ',"coef":', rows(as.matrix(fit$beta)), ',"deviance":', row(deviance(fit)), "}"))
}
cat('{"source":"R ', as.character(getRversion()), ", glmnet ", as.character(packageVersion("glmnet")), '","x":', rows(x), ',"cases":[', paste(cases, collapse = ","), "]}\n", sep = "")
