//! How many connections the system's limit of open files leaves room for.
//!
//! Without this, callers could take the descriptors that the next worker process needs. Knows no connection.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are left to workers, logs and model files, where the limit is large enough for that.
const RESERVED: u64 = 128;

/// Raises the limit of this process as far as `wanted` connections need and the system allows; the connections that fit.
pub(crate) fn connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(mut limit) = current else {
        return wanted;
    };
    let needed = (wanted as u64).saturating_add(RESERVED);
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    if raised > limit {
        let asked = Rlimit {
            current: Some(raised),
            maximum,
        };
        match setrlimit(Resource::Nofile, asked) {
            Ok(()) => limit = raised,
            Err(error) => tracing::debug!(%error, "the limit of open files stays as it is"),
        }
    }
    let fit = fitting(wanted, limit);
    if fit < wanted {
        tracing::info!(
            connections = fit,
            open_files = limit,
            "fewer connections at a time than wished: the limit of open files (ulimit -n) is low"
        );
    }
    fit
}

fn fitting(wanted: usize, limit: u64) -> usize {
    let room = limit - RESERVED.min(limit / 2);
    usize::try_from(room).map_or(wanted, |room| room.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_always_left() {
        for (limit, fit) in [(64, 32), (1024, 896), (20_000, 10_000), (0, 0)] {
            assert_eq!(fitting(10_000, limit), fit, "{limit}");
        }
    }
}
