//! The worker against real Python processes; an MLflow environment is named by `SLUIS_TEST_PYTHON`.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod options;
#[cfg(test)]
mod support;
