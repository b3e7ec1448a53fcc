//! Picks answered calls, on the path of their requests: one atomic increment, and a copy of a few rows for those picked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sluis_mlflow::{Answer, ModelCall};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::metrics::ScoringMetrics;

/// Kibibytes of all samples that wait: each takes one at least.
const ROOM: usize = 4096;

/// Bytes of one sample at most: of a larger call some rows are taken.
const SAMPLE_BYTES: usize = 128 << 10;

/// Bytes of one call at most that is scored again as a whole.
const WHOLE_BYTES: usize = 1 << 20;

/// Rows of one sample at most, so that a request behind it waits for no large call.
const SAMPLE_ROWS: usize = 256;

/// Some rows of a call, and what was answered to them.
pub(crate) struct Sample {
    pub(crate) call: ModelCall,
    /// None where rows cannot be cut out of the answer: the program gives theirs again.
    pub(crate) answer: Option<Answer>,
    /// Its first row in the call.
    pub(crate) start: usize,
    _room: OwnedSemaphorePermit,
}

pub(crate) struct Sampler {
    /// A call is picked where the hash of its number is not above it.
    limit: u64,
    answered: AtomicU64,
    room: Arc<Semaphore>,
    samples: mpsc::UnboundedSender<Sample>,
    metrics: ScoringMetrics,
}

impl Sampler {
    /// A sampler, and where its samples come out. The channel's bound is the room.
    pub(crate) fn new(
        share: f64,
        metrics: ScoringMetrics,
    ) -> (Self, mpsc::UnboundedReceiver<Sample>) {
        let (samples, receiver) = mpsc::unbounded_channel();
        let sampler = Self {
            // A conversion that saturates: 1 is every call.
            limit: (share * u64::MAX as f64) as u64,
            answered: AtomicU64::new(0),
            room: Arc::new(Semaphore::new(ROOM)),
            samples,
            metrics,
        };
        (sampler, receiver)
    }

    /// Looks at an answered call; `by_row` tells whether its rows may be scored without each other. Never waits.
    pub(crate) fn offer(&self, call: &ModelCall, answer: &Answer, by_row: bool) {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        let hash = scatter(number);
        if number != 0 && hash > self.limit {
            return;
        }
        let sample = if by_row {
            self.some_rows(call, answer, hash)
        } else {
            self.whole(call, answer)
        };
        match sample {
            // Nobody listens any more: trust was withdrawn, or the server stops.
            Some(sample) => drop(self.samples.send(sample)),
            None => drop(self.metrics.native.dropped.inc()),
        }
    }

    /// The whole call: an answer may depend on which rows share it, and its first extent need not be rows at all.
    fn whole(&self, call: &ModelCall, answer: &Answer) -> Option<Sample> {
        let bytes = call.input.size() + answer.size();
        let room = (bytes <= WHOLE_BYTES).then(|| self.room(bytes))??;
        Some(Sample {
            call: ModelCall {
                input: call.input.clone(),
                options: call.options.clone(),
                lossy: Vec::new(),
            },
            answer: Some(answer.clone()),
            start: 0,
            _room: room,
        })
    }

    fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kibibytes = u32::try_from(bytes.div_ceil(1024).max(1)).ok()?;
        let room = Arc::clone(&self.room);
        room.try_acquire_many_owned(kibibytes).ok()
    }

    fn some_rows(&self, call: &ModelCall, answer: &Answer, hash: u64) -> Option<Sample> {
        let all = call.input.rows();
        let row = (call.input.size() + answer.size())
            .div_ceil(all.max(1))
            .max(1);
        let rows = all.min(SAMPLE_ROWS).min(SAMPLE_BYTES / row);
        if rows == 0 {
            return None;
        }
        let room = self.room(rows * row)?;
        let start = (hash % (all - rows + 1) as u64) as usize;
        let answer = match answer {
            Answer::Json(body) if rows == all => Some(Answer::Json(body.clone())),
            answer => answer.copy_rows(start, rows),
        };
        Some(Sample {
            call: ModelCall {
                input: call.input.copy_rows(start, rows)?,
                options: call.options.clone(),
                lossy: Vec::new(),
            },
            answer,
            start,
            _room: room,
        })
    }
}

/// Numbers one after the other as numbers that are anywhere (the finalizer of splitmix64): callers who take turns are
/// then all picked.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;
    use sluis_mlflow::{DType, DenseBlock, Input};

    fn block(rows: usize, width: usize) -> DenseBlock {
        let bytes = vec![7; rows * width];
        DenseBlock::new(DType::UInt8, vec![rows, width], bytes.into()).unwrap()
    }

    fn picked(share: f64, calls: usize, rows: usize, width: usize) -> (Vec<Sample>, u64) {
        let metrics = ScoringMetrics::register(&mut Registry::default());
        let (sampler, mut samples) = Sampler::new(share, metrics.clone());
        let call = ModelCall::from(Input::Tensor(block(rows, width)));
        for _ in 0..calls {
            sampler.offer(&call, &Answer::Dense(block(rows, 1)), true);
        }
        let mut picked = Vec::new();
        while let Ok(sample) = samples.try_recv() {
            picked.push(sample);
        }
        (picked, metrics.native.dropped.get())
    }

    #[test]
    fn the_share_is_kept_and_the_first_call_is_picked() {
        assert_eq!(picked(1e-9, 1, 1, 4).0.len(), 1);
        let (some, dropped) = picked(0.001, 500_000, 1, 4);
        assert!((400..600).contains(&some.len()), "{}", some.len());
        assert_eq!(dropped, 0);
        assert_eq!(picked(1.0, 300, 1, 4).0.len(), 300);
    }

    #[test]
    fn memory_is_bounded_and_what_finds_no_room_is_counted() {
        let (kept, dropped) = picked(1.0, 5000, 1, 4);
        assert_eq!((kept.len(), dropped), (4096, 904));
        let (kept, dropped) = picked(1.0, 40, 5000, 512);
        let rows: Vec<usize> = kept.iter().map(|sample| sample.call.input.rows()).collect();
        assert!(rows.iter().all(|rows| *rows == 255), "{rows:?}");
        assert_eq!((kept.len(), dropped), (32, 8), "each has 128 KiB");
        assert!(kept.iter().any(|sample| sample.start > 0));
        let (kept, dropped) = picked(1.0, 2, 1, 200 << 10);
        assert_eq!((kept.len(), dropped), (0, 2), "a row is too large");
    }

    #[test]
    fn a_call_whose_rows_depend_on_each_other_is_kept_whole_or_not_at_all() {
        let metrics = ScoringMetrics::register(&mut Registry::default());
        let (sampler, mut samples) = Sampler::new(1.0, metrics.clone());
        for rows in [5000, 1 << 20] {
            let call = ModelCall::from(Input::Tensor(block(rows, 4)));
            sampler.offer(&call, &Answer::Json("[[1]]".into()), false);
        }
        let sample = samples.try_recv().unwrap();
        assert_eq!((sample.call.input.rows(), sample.start), (5000, 0));
        assert!(matches!(sample.answer, Some(Answer::Json(_))));
        assert!(samples.try_recv().is_err());
        assert_eq!(metrics.native.dropped.get(), 1);
    }
}
