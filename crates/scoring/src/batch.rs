//! Request batches: which of the waiting requests are scored together.
//!
//! Pure functions over what is waiting; never a timer.

use std::collections::VecDeque;

use sluis_mlflow::{ModelCall, Work};

/// What may be put together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchRule {
    /// Whether the model scores row by row, so that requests may share a call at all.
    pub(crate) merge: bool,
    /// Rows of one request batch; a single larger request still goes alone.
    pub(crate) max_rows: usize,
}

/// Takes the next request batch: the first waiting entry, and those behind it that may share its call.
///
/// `joinable` gives the part of an entry that may share a call, if any. Entries are taken from the front without passing one over, so that order is kept; at least one is taken.
pub(crate) fn take<T>(
    waiting: &mut VecDeque<T>,
    rule: BatchRule,
    joinable: impl Fn(&T) -> Option<&ModelCall>,
) -> Vec<T> {
    let Some(first) = waiting.pop_front() else {
        return Vec::new();
    };
    let mut rows = joinable(&first).map_or(0, |call| call.input.rows());
    let mut batch = vec![first];
    while rule.merge
        && let (Some(first), Some(next)) = (joinable(&batch[0]), waiting.front())
        && let Some(call) = joinable(next)
        && rows + call.input.rows() <= rule.max_rows
        && first.joins(call)
    {
        rows += call.input.rows();
        batch.extend(waiting.pop_front());
    }
    batch
}

/// The work of a request batch as one call; `None` when the parts do not join after all.
pub(crate) fn join<'a>(works: impl Iterator<Item = &'a Work>) -> Option<Work> {
    let calls: Vec<&ModelCall> = works
        .map(|work| match work {
            Work::Call(call) => Some(call),
            Work::Raw(_) => None,
        })
        .collect::<Option<_>>()?;
    ModelCall::concat(&calls).map(Work::Call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluis_mlflow::{DType, DenseBlock, Input, RawRequest};

    fn rows(count: u8, width: u8) -> Work {
        let shape = vec![usize::from(count), usize::from(width)];
        let bytes = vec![0; usize::from(count) * usize::from(width)];
        Work::from(Input::Tensor(
            DenseBlock::new(DType::Int8, shape, bytes.into()).unwrap(),
        ))
    }

    fn raw() -> Work {
        Work::Raw(RawRequest {
            method: "POST".into(),
            path: "/invocations".into(),
            headers: vec![],
            body: bytes::Bytes::new(),
            model_method: None,
        })
    }

    #[test]
    fn what_waits_is_taken_in_order_and_only_what_fits() {
        let merge = BatchRule {
            merge: true,
            max_rows: 4,
        };
        let alone = BatchRule {
            merge: false,
            max_rows: 4,
        };
        let table: Vec<(BatchRule, Vec<Work>, usize)> = vec![
            (merge, vec![], 0),
            (merge, vec![rows(1, 2)], 1),
            (merge, vec![rows(1, 2), rows(1, 2), rows(1, 2)], 3),
            (merge, vec![rows(2, 2), rows(2, 2), rows(1, 2)], 2),
            (merge, vec![rows(9, 2), rows(1, 2)], 1),
            (merge, vec![rows(1, 2), rows(1, 3), rows(1, 2)], 1),
            (merge, vec![rows(1, 2), raw(), rows(1, 2)], 1),
            (merge, vec![raw(), raw()], 1),
            (alone, vec![rows(1, 2), rows(1, 2)], 1),
        ];
        for (index, (rule, works, taken)) in table.into_iter().enumerate() {
            let mut waiting: VecDeque<Work> = works.into();
            let before = waiting.len();
            let batch = take(&mut waiting, rule, |work| match work {
                Work::Call(call) => Some(call),
                Work::Raw(_) => None,
            });
            assert_eq!(
                (batch.len(), waiting.len()),
                (taken, before - taken),
                "row {index}"
            );
        }
    }
}
