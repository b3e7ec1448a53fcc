//! The re-check with an instance that is driven by hand: no process, no sleep.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use sluis_mlflow::{Answer, DType, DenseBlock, Input, ModelCall, Raised, Work};
use sluis_native::Disagreement;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::{RecheckConfig, Trust};
use crate::{
    DirectScorer, Scorer, ScorerError, ScorerLost, ScoringConfig, ScoringMetrics, ScoringService,
};

fn block(value: u8) -> DenseBlock {
    DenseBlock::new(DType::UInt8, vec![1, 1], vec![value].into()).unwrap()
}

/// Answers a row by itself; 200 and more is left to instances.
struct Echo;

impl DirectScorer for Echo {
    fn score(&self, call: &ModelCall) -> Option<Answer> {
        match &call.input {
            Input::Tensor(block) if block.bytes[0] < 200 => Some(Answer::Dense(block.clone())),
            _ => None,
        }
    }
    fn cost(&self, _: &ModelCall) -> usize {
        0
    }
    fn by_row(&self, _: &ModelCall) -> bool {
        true
    }
    fn agrees(
        &self,
        _: &ModelCall,
        ours: Option<&Answer>,
        theirs: &Answer,
    ) -> Result<(), Disagreement> {
        match (ours, theirs) {
            (Some(Answer::Dense(ours)), Answer::Dense(theirs)) if ours == theirs => Ok(()),
            _ => Err(Disagreement {
                row: 0,
                what: "another number".to_owned(),
            }),
        }
    }
}

/// What the instance was asked, and how; the test answers it.
struct Asked {
    value: u8,
    /// May start a process, and ends it; none for a request.
    check: Option<(bool, bool)>,
    answer: oneshot::Sender<Result<Answer, ScorerError>>,
}

impl Asked {
    fn echo(self) {
        let value = self.value;
        self.with(Ok(Answer::Dense(block(value))));
    }
    fn with(self, answer: Result<Answer, ScorerError>) {
        self.answer.send(answer).ok();
    }
}

/// An instance that has a process only while something keeps it up.
struct ByHand {
    asked: mpsc::UnboundedSender<Asked>,
    up: bool,
    trust: Trust,
}

impl ByHand {
    async fn hand(&self, work: Work, check: Option<(bool, bool)>) -> Result<Answer, ScorerError> {
        let Work::Call(ModelCall {
            input: Input::Tensor(block),
            ..
        }) = work
        else {
            panic!("a tensor was sent")
        };
        let (answer, answered) = oneshot::channel();
        let value = block.bytes[0];
        let asked = Asked {
            value,
            check,
            answer,
        };
        self.asked.send(asked).ok();
        answered.await.unwrap()
    }
}

impl Scorer for ByHand {
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        Ok(())
    }
    async fn ended(&mut self) {
        if self.trust.is_withdrawn() {
            std::future::pending::<()>().await;
        }
        self.trust.withdrawn().await;
    }
    async fn score(&mut self, work: Work, _: Instant) -> Result<Answer, ScorerError> {
        self.up = true;
        self.hand(work, None).await
    }
    fn is_up(&self) -> bool {
        self.up
    }
    async fn check(
        &mut self,
        work: Work,
        _: Duration,
        may_start: bool,
        then_end: bool,
    ) -> Result<Answer, ScorerError> {
        if !self.up && !may_start {
            return Err(ScorerError::Down);
        }
        self.up = !then_end;
        self.hand(work, Some((may_start, then_end))).await
    }
    async fn stop(self, _: Duration) {}
}

struct Bench {
    service: ScoringService,
    asked: mpsc::UnboundedReceiver<Asked>,
    metrics: ScoringMetrics,
    refuted: mpsc::UnboundedReceiver<String>,
}

impl Bench {
    fn new() -> Self {
        let (sender, asked) = mpsc::unbounded_channel();
        let trust = Trust::default();
        let scorer = ByHand {
            asked: sender,
            up: false,
            trust: trust.clone(),
        };
        let metrics = ScoringMetrics::register(&mut Registry::default());
        let (told, refuted) = mpsc::unbounded_channel();
        let recheck = RecheckConfig {
            share: 1.0,
            interval: Duration::from_secs(3600),
        };
        let service =
            ScoringService::start(ScoringConfig::default(), vec![scorer], metrics.clone())
                .with_direct(
                    Arc::new(Echo),
                    trust,
                    recheck,
                    Box::new(move |text| drop(told.send(text.to_owned()))),
                );
        Self {
            service,
            asked,
            metrics,
            refuted,
        }
    }

    async fn native(&self, value: u8) {
        let work = Work::from(Input::Tensor(block(value)));
        let answer = self.service.score(work).await.unwrap();
        assert!(matches!(answer, Answer::Dense(answer) if answer.bytes[0] == value));
    }

    fn request(&self, value: u8) -> tokio::task::JoinHandle<bool> {
        let service = self.service.clone();
        let work = Work::from(Input::Tensor(block(value)));
        tokio::spawn(async move { service.score(work).await.is_ok() })
    }

    /// What the instance is asked within so many seconds.
    async fn asked(&mut self, seconds: u64) -> Option<Asked> {
        let next = timeout(Duration::from_secs(seconds), self.asked.recv()).await;
        next.ok().flatten()
    }

    async fn settled(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn samples_wait_for_a_probe_that_starts_a_process_and_ends_it() {
    let mut bench = Bench::new();
    for value in [1, 2, 3] {
        bench.native(value).await;
    }
    assert!(bench.asked(59).await.is_none(), "no process at rest");
    let first = bench.asked(2).await.unwrap();
    assert_eq!((first.value, first.check), (1, Some((true, false))));
    first.echo();
    let second = bench.asked(1).await.unwrap();
    assert_eq!((second.value, second.check), (2, Some((true, false))));
    second.echo();
    let third = bench.asked(1).await.unwrap();
    assert_eq!((third.value, third.check), (3, Some((true, true))));
    third.echo();
    bench.settled().await;
    assert_eq!(bench.metrics.native.checked.get(), 3);
    bench.native(4).await;
    assert!(bench.asked(3000).await.is_none(), "an hour later");
    let last = bench.asked(601).await.unwrap();
    assert_eq!((last.value, last.check), (4, Some((true, true))));
    last.echo();
    bench.settled().await;
    assert_eq!(bench.metrics.native.checked.get(), 4);
    assert_eq!(bench.metrics.native.serving.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_up_is_asked_at_once_but_after_requests() {
    let mut bench = Bench::new();
    let request = bench.request(200);
    let held = bench.asked(1).await.unwrap();
    assert!(held.check.is_none());
    bench.native(1).await;
    let next = bench.request(201);
    bench.settled().await;
    held.echo();
    assert!(request.await.unwrap());
    let second = bench.asked(1).await.unwrap();
    assert_eq!((second.value, second.check), (201, None), "requests first");
    second.echo();
    assert!(next.await.unwrap());
    let check = bench.asked(1).await.unwrap();
    assert_eq!((check.value, check.check), (1, Some((false, false))));
    check.echo();
    bench.settled().await;
    assert_eq!(bench.metrics.native.checked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_difference_moves_every_request_to_the_instances() {
    let mut bench = Bench::new();
    bench.native(1).await;
    let check = bench.asked(61).await.unwrap();
    check.with(Ok(Answer::Dense(block(9))));
    bench.settled().await;
    let request = bench.request(1);
    let asked = bench.asked(1).await.unwrap();
    assert_eq!((asked.value, asked.check), (1, None));
    asked.echo();
    assert!(request.await.unwrap());
    assert_eq!(bench.metrics.native.differing.get(), 1);
    assert_eq!(bench.metrics.native.serving.get(), 0);
    let told = bench.refuted.recv().await;
    assert_eq!(told.as_deref(), Some("row 0: another number"));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_raises_differs_and_a_process_that_ends_does_not() {
    let raised = |class: &str, unasked| {
        Err(ScorerError::Model(Raised {
            class: class.to_owned(),
            message: "of row 17".to_owned(),
            document: None,
            unserializable: false,
            unasked,
        }))
    };
    let ended = || Err(ScorerError::Ended("signal 11".to_owned()));
    let mut bench = Bench::new();
    bench.native(1).await;
    bench.asked(61).await.unwrap().with(ended());
    bench.asked(1).await.unwrap().with(ended());
    for (class, unasked) in [("MemoryError", false), ("ImportError", true)] {
        bench.native(2).await;
        bench
            .asked(3601)
            .await
            .unwrap()
            .with(raised(class, unasked));
    }
    bench.native(3).await;
    let lost = ScorerLost("no module named x".to_owned());
    bench
        .asked(3601)
        .await
        .unwrap()
        .with(Err(ScorerError::Lost(lost)));
    bench.settled().await;
    assert_eq!(bench.metrics.native.undecided.get(), 3);
    assert_eq!(bench.metrics.native.serving.get(), 1);
    let again = bench.asked(3601).await.unwrap();
    assert_eq!(again.value, 3, "kept until a process can be started");
    again.with(raised("OSError", false));
    let once_more = bench.asked(1).await.unwrap();
    assert_eq!(once_more.value, 3, "it may have been the machine");
    once_more.echo();
    bench.settled().await;
    assert_eq!(bench.metrics.native.checked.get(), 1);
    bench.native(4).await;
    for _ in 0..2 {
        let again = bench.asked(3601).await.unwrap();
        assert_eq!(again.value, 4);
        again.with(raised("ValueError", false));
    }
    bench.settled().await;
    assert_eq!(bench.metrics.native.differing.get(), 1);
    assert_eq!(bench.metrics.native.serving.get(), 0);
    let told = bench.refuted.recv().await.unwrap();
    assert!(
        told.contains("ValueError") && !told.contains("17"),
        "{told}"
    );
}
